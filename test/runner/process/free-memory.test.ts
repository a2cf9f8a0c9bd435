import { expect, test } from "bun:test";
import { readFreeBytes } from "../../../src/runner/process/free-memory.ts";
import { makeTempFolder, writeFiles } from "../../helpers/temp.ts";

/** Folders as the kernel would show them. Only what is read of them is tested here, not the kernel. */
function freeIn(files: Record<string, string>): number | null {
  using folder = makeTempFolder();
  writeFiles(folder.path, files);
  return readFreeBytes({ proc: `${folder.path}/proc`, cgroup: `${folder.path}/cgroup` });
}

const mebibyte = 1_048_576;
const meminfo = { "proc/meminfo": "MemTotal:  8192000 kB\nMemFree: 1 kB\nMemAvailable:  4096000 kB\n" };

test("without a limited group it is what the kernel calls available", () => {
  expect(freeIn(meminfo)).toBe(4_096_000 * 1_024);
  expect(
    freeIn({
      ...meminfo,
      "proc/self/cgroup": "0::/app\n",
      "cgroup/app/memory.max": "max\n",
      "cgroup/app/memory.current": "5\n",
    }),
  ).toBe(4_096_000 * 1_024);
});

test("a limit of the second version counts with the cache that can be given up, wherever above us it is set", () => {
  const free = freeIn({
    ...meminfo,
    "proc/self/cgroup": "0::/outer/inner\n",
    "cgroup/outer/memory.max": String(512 * mebibyte),
    "cgroup/outer/memory.current": String(400 * mebibyte),
    "cgroup/outer/memory.stat": `anon 1\nfile 2\ninactive_file ${100 * mebibyte}\n`,
    "cgroup/outer/inner/memory.max": "max\n",
    "cgroup/outer/inner/memory.current": "1\n",
  });

  expect(free).toBe(212 * mebibyte);
});

test("a limit of the first version counts, too", () => {
  const free = freeIn({
    ...meminfo,
    "proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/box\n0::/\n",
    "cgroup/memory/box/memory.limit_in_bytes": String(100 * mebibyte),
    "cgroup/memory/box/memory.usage_in_bytes": String(130 * mebibyte),
    "cgroup/memory/box/memory.stat": `total_inactive_file ${10 * mebibyte}\n`,
  });

  expect(free).toBe(0);
});

test("a group's limit beyond all memory is none, so that what it uses isn't asked", () => {
  const free = freeIn({
    ...meminfo,
    "proc/self/cgroup": "4:memory:/box\n",
    "cgroup/memory/box/memory.limit_in_bytes": "9223372036854771712",
    "cgroup/memory/box/memory.usage_in_bytes": "9223372036854771000",
  });

  expect(free).toBe(4_096_000 * 1_024);
});

test("where nothing is told nothing is known", () => {
  expect(freeIn({})).toBeNull();
});

test("this machine tells", () => {
  expect(readFreeBytes()).toBeGreaterThan(0);
});
