import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import type { ContainmentReport } from "../../src/domain/containment-report.ts";
import { expectJson } from "../helpers/http.ts";
import { runRefusedServer } from "../helpers/server-process.ts";
import { waitFor } from "../helpers/wait.ts";
import { openSeenCgroups } from "../runner/process/cgroups.ts";
import { openStage, type Stage } from "./stage.ts";

const seen = await openSeenCgroups();

const memoryLimitOf = async ({ server }: Stage) =>
  (await expectJson<ContainmentReport>(server.fetch, 200, "GET", "/api/containment")).memoryLimit;

test("with HEADWAY_CGROUP=off looks alone hold runs to their limit, and that is said", async () => {
  await using stage = await openStage({ HEADWAY_CGROUP: "off", HEADWAY_SELF_TEST: "off" });
  const agent = await stage.agent({ memoryLimitMb: 256 });

  const { body } = await agent.execute("memory=400");

  expect(await memoryLimitOf(stage)).toEqual({ by: "polling", because: "HEADWAY_CGROUP is off." });
  expect(body).toMatchObject({ state: "failed", error: { code: "memory_limit" }, survivors: 0 });
});

test("a folder that is no control group ends the start with one line", async () => {
  const { exitCode, stderr } = await runRefusedServer({ env: { HEADWAY_CGROUP: "/nonexistent" } });

  expect(exitCode).toBe(64);
  expect(stderr).toBe(
    "headway: HEADWAY_CGROUP is /nonexistent, which can't be used: there is no control group that counts memory.\n",
  );
});

test.skipIf(seen === null)(
  "the kernel holds runs to their limit, and the next start takes away what a killed server left",
  async () => {
    if (seen === null) return;
    const probe = seen.cgroups.make("probe", { memoryBytesMax: 2 ** 28, processesMax: 9 });
    if (probe === null) throw new Error(seen.cgroups.trouble ?? "");
    probe.remove();
    await using stage = await openStage({ HEADWAY_SELF_TEST: "off", HEADWAY_WARM_PROCESSES: "2" });
    const groupsOf = (pid: number) =>
      readdirSync(dirname(probe.path)).filter((name) => name.startsWith(`headway-${pid}-`));
    const agent = await stage.agent({ memoryLimitMb: 256 });

    const { body } = await agent.execute("memory=400");
    await agent.execute("hello");
    const report = await memoryLimitOf(stage);
    const { pid } = stage.server;
    const whileWarm = groupsOf(pid);
    await stage.server.kill();
    await stage.server.restart();
    await waitFor(() => groupsOf(pid).length === 0, { what: "the dead server's groups to be gone" });

    expect(report.by).toBe("cgroup");
    expect(body).toMatchObject({ state: "failed", error: { code: "memory_limit" }, survivors: 0 });
    expect(whileWarm).toHaveLength(1);
  },
);
