import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/domain/clock.ts";
import {
  cgroupMountPaths,
  type CgroupSight,
  findCgroupAt,
  findOwnCgroup,
  groundOf,
  objectionTo,
} from "../../../src/runner/process/cgroup-folder.ts";
import type { CgroupSystem } from "../../../src/runner/process/cgroup-system.ts";
import { openCgroups, prepareFolder } from "../../../src/runner/process/open-cgroups.ts";
import { createRunCgroups } from "../../../src/runner/process/run-cgroup.ts";
import { containmentOf, temporaryFolder } from "./harness.ts";

const v2Mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
const hybridMounts = [
  "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755",
  "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
  "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
  "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
].join("\n");

test("the own group is found by the hierarchy that counts memory, wherever that is mounted", () => {
  const hybrid = "9:name=systemd:/\n4:memory:/a/b\n1:cpu:/\n0::/c";
  const ofContainer = "7 6 0:32 /docker/x /mem\\040ory rw - cgroup cgroup rw,memory";

  expect(findOwnCgroup(hybrid, hybridMounts)?.path).toBe("/sys/fs/cgroup/memory/a/b");
  expect(findOwnCgroup(hybrid, hybridMounts)?.version).toBe("v1");
  expect(findOwnCgroup("0::/system.slice/headway.service", v2Mount)).toEqual({
    version: "v2",
    path: "/sys/fs/cgroup/system.slice/headway.service",
    topPath: "/sys/fs/cgroup",
  });
  expect(findOwnCgroup("0::/", v2Mount)?.path).toBe("/sys/fs/cgroup");
  expect(findOwnCgroup("4:memory:/docker/x/y", ofContainer)?.path).toBe("/mem ory/y");
  expect(findOwnCgroup("4:memory:/docker/other", ofContainer)).toBeNull();
  expect(findOwnCgroup("", "")).toBeNull();
});

test("a folder that is named must lie where memory is counted", () => {
  expect(findCgroupAt("/sys/fs/cgroup/memory/own/", hybridMounts)?.path).toBe("/sys/fs/cgroup/memory/own");
  expect(findCgroupAt("/sys/fs/cgroup/cpu/own", hybridMounts)).toBeNull();
  expect(findCgroupAt("/tmp", hybridMounts)).toBeNull();
  expect(findCgroupAt("/sys/fs/cgroup/own", v2Mount)?.version).toBe("v2");
});

test("a run must not write wherever groups are mounted", () => {
  const elsewhere = `${hybridMounts}\n50 1 0:50 / /run/groups rw - cgroup2 cgroup2 rw`;

  expect(cgroupMountPaths(elsewhere)).toEqual(["/sys/fs/cgroup", "/run/groups"]);
  expect(cgroupMountPaths("")).toEqual([]);
});

test("a server that was started by one that has moved uses the same folder", () => {
  const moved = findOwnCgroup("0::/own/headway-server", v2Mount);

  expect(moved && groundOf(moved).path).toBe("/sys/fs/cgroup/own");
});

const service: CgroupSight = {
  version: "v2",
  path: "/sys/fs/cgroup/system.slice/headway.service",
  topPath: "/sys/fs/cgroup",
  ownerId: 1000,
  parentOwnerId: 0,
  controllers: ["memory", "pids"],
  hasLimit: true,
};
const container: CgroupSight = { ...service, path: "/sys/fs/cgroup", ownerId: 0 };

test.each<[string, CgroupSight, number, string | null]>([
  ["v1", { ...service, version: "v1", controllers: [], ownerId: 0 }, 0, null],
  ["a service that is delegated to its user", service, 1000, null],
  ["a service that isn't", { ...service, ownerId: 0 }, 1000, "is not delegated"],
  ["no memory controller", { ...service, controllers: ["pids"] }, 1000, "no memory controller"],
  ["a user's own service", { ...service, parentOwnerId: 1000 }, 1000, null],
  [
    "a user's terminal",
    { ...service, path: "/sys/fs/cgroup/vte-spawn-1.scope", parentOwnerId: 1000 },
    1000,
    "may have other processes",
  ],
  ["root in a container", container, 0, null],
  ["the machine's root group", { ...container, hasLimit: false }, 0, "root may write anywhere"],
  ["root in a service", service, 0, "root may write anywhere"],
])("whether groups may be made unasked: %s", (_name, sight, userId, objection) => {
  const found = objectionTo(sight, userId);

  if (objection === null) expect(found).toBeNull();
  else expect(found).toContain(objection);
});

test("a setting that is off is why there are none, and one that can't be used is a mistake", async () => {
  const containment = await containmentOf("process-group");
  if (containment === null) throw new Error("every machine has process groups");
  const open = (setting: string) => openCgroups({ setting, containment, clock: systemClock });

  expect(await open("off")).toEqual({ kind: "none", because: "HEADWAY_CGROUP is off." });
  expect(await open("/nonexistent/group")).toEqual({
    kind: "bad",
    message:
      "HEADWAY_CGROUP is /nonexistent/group, which can't be used: there is no control group that counts memory.",
  });
});

/** Plain folders with the files of v2 in them, as its kernel makes them. */
function plainV2(): CgroupSystem & { setIn(group: string, file: string, text: string): void } {
  const files = {
    "cgroup.procs": "",
    "memory.max": "max",
    "memory.swap.max": "max",
    "memory.oom.group": "0",
    "memory.events": "low 0\noom 0\noom_kill 0\noom_group_kill 0\n",
    "pids.max": "max",
    "pids.events": "max 0\n",
  };
  const setIn = (group: string, file: string, text: string) => writeFileSync(join(group, file), text);
  return {
    setIn,
    makeFolder(path) {
      mkdirSync(path);
      for (const [name, text] of Object.entries(files)) setIn(path, name, text);
    },
    removeFolder(path) {
      const inside = readdirSync(path, { withFileTypes: true });
      if (inside.some((entry) => entry.isDirectory()))
        throw Object.assign(new Error(), { code: "ENOTEMPTY" });
      rmSync(path, { recursive: true });
    },
  };
}

test("v2: the folder's processes make room, and its children are given memory and tasks to limit", () => {
  using folder = temporaryFolder();
  const { path } = folder;
  const system = plainV2();
  const moved: string[] = [];
  writeFileSync(join(path, "cgroup.controllers"), "cpu memory pids\n");
  writeFileSync(join(path, "cgroup.subtree_control"), "");
  writeFileSync(join(path, "cgroup.procs"), "");

  const prepared = prepareFolder({ version: "v2", path }, system);
  const switched = readFileSync(join(path, "cgroup.subtree_control"), "utf8");
  writeFileSync(join(path, "cgroup.subtree_control"), "memory pids\n");
  writeFileSync(join(path, "cgroup.procs"), "123\n");
  prepareFolder({ version: "v2", path }, { ...system, makeFolder: (made) => void moved.push(made) });

  expect(prepared).toMatchObject({ version: "v2", path, limitsTasks: true });
  expect(switched).toBe("+memory +pids");
  // What is enabled already needs no move.
  expect(moved).toEqual([]);
});

test("v2: processes that are in the folder go to the server's group first", () => {
  using folder = temporaryFolder();
  const { path } = folder;
  writeFileSync(join(path, "cgroup.controllers"), "memory\n");
  writeFileSync(join(path, "cgroup.subtree_control"), "");
  writeFileSync(join(path, "cgroup.procs"), "123\n");
  const system = plainV2();

  const prepared = prepareFolder(
    { version: "v2", path },
    {
      ...system,
      makeFolder(made) {
        system.makeFolder(made);
        // The kernel takes those out that are written elsewhere.
        writeFileSync(join(path, "cgroup.procs"), "");
      },
    },
  );

  expect(prepared).toMatchObject({ limitsTasks: false });
  expect(readFileSync(join(path, "headway-server", "cgroup.procs"), "utf8")).toBe("123");
  expect(readFileSync(join(path, "cgroup.subtree_control"), "utf8")).toBe("+memory");
});

test("v2: a group has the run's limits one folder above its tree, tells what the kernel did in a turn, and goes", () => {
  using folder = temporaryFolder();
  const { path } = folder;
  const system = plainV2();
  const cgroups = createRunCgroups({
    folder: { version: "v2", path, limitsTasks: true, mountPaths: [] },
    server: { pid: 7, startTicks: 8 },
    clock: systemClock,
    system,
  });

  const group = cgroups.make("proc_1", { memoryBytesMax: 1_000, processesMax: 10 });
  if (group === null) throw new Error(cgroups.trouble ?? "");
  const read = (file: string) => readFileSync(join(group.path, file), "utf8");
  const limits = ["memory.max", "memory.swap.max", "memory.oom.group", "pids.max"].map(read);
  const tell = (file: string, text: string) => (system.setIn(group.path, file, text), group.passedLimit());
  const told = [group.passedLimit()];
  group.beginTurn();
  told.push(tell("memory.events", "oom 0\noom_kill 1\n"));
  told.push(tell("memory.events", "oom 1\noom_kill 1\n"));
  group.beginTurn();
  told.push(group.passedLimit());
  told.push(tell("pids.events", "max 3\n"));
  group.remove();

  expect(group.path).toBe(join(path, "headway-7-8-proc_1"));
  expect(group).toMatchObject({ commandPrefix: [], spawnOptions: { cgroup: join(group.path, "tree") } });
  expect(limits).toEqual(["1000", "0", "1", String(10 * 32 + 1_024)]);
  expect(told).toEqual([null, null, "memory_limit", null, "process_limit"]);
  expect(existsSync(group.path)).toBe(false);
});

test("a group that can't be made is no reason to fail, and leaves nothing behind", () => {
  using folder = temporaryFolder();
  const { path } = folder;
  const system = plainV2();
  let isFull = true;
  const cgroups = createRunCgroups({
    folder: { version: "v2", path, limitsTasks: true, mountPaths: [] },
    server: { pid: 7, startTicks: 8 },
    clock: systemClock,
    system: {
      ...system,
      makeFolder(made) {
        if (isFull && made.endsWith("/tree")) throw Object.assign(new Error("full"), { code: "ENOSPC" });
        system.makeFolder(made);
      },
    },
  });

  const refused = cgroups.make("proc_1", { memoryBytesMax: 1_000, processesMax: 10 });
  const why = cgroups.trouble;
  const left = readdirSync(path);
  isFull = false;
  const made = cgroups.make("proc_2", { memoryBytesMax: 1_000, processesMax: 10 });

  expect([refused, why, left]).toEqual([null, `No control group could be made in ${path} (ENOSPC).`, []]);
  expect([made === null, cgroups.trouble]).toEqual([false, null]);
});
