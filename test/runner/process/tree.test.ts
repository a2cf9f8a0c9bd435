import { expect, test } from "bun:test";
import { leftoversAmong } from "../../../src/runner/process/leftovers.ts";
import {
  type ProcessStat,
  childrenOf,
  descendantsOf,
  findAlive,
  findMemoryParts,
  findProportionalBytes,
  hasVariable,
  innerPidOf,
  isAlive,
  listAlive,
  parseStat,
  processKey,
} from "../../../src/runner/process/tree.ts";
import { eventually } from "./harness.ts";

test("a stat line is read although the process's name holds spaces and parentheses", () => {
  const line =
    "4242 (a) R (b c) S 17 4242 4241 0 -1 4194560 100 5 0 0 30 12 7 1 39 10 3 0 987654 1000000 256 18446744073709551615 1";

  const stat = parseStat(line);

  expect(stat).toEqual({
    pid: 4242,
    state: "S",
    ppid: 17,
    processGroup: 4242,
    session: 4241,
    startTicks: 987654,
    rssBytes: 256 * 4096,
    cpuMs: 500,
  });
});

test("what isn't a stat line reads as nothing", () => {
  expect([parseStat(""), parseStat("1 (x) S"), parseStat("rubbish")]).toEqual([null, null, null]);
});

test("this process finds itself, its start and its memory", () => {
  const self = findAlive(process.pid);

  expect(self).toMatchObject({ pid: process.pid, ppid: process.ppid });
  expect(self?.rssBytes).toBeGreaterThan(1_000_000);
  expect(listAlive().map((found) => found.pid)).toContain(process.pid);
  expect(innerPidOf(process.pid)).toBe(process.pid);
});

test("what this process has in memory is told by what it is, and by its share", () => {
  const parts = findMemoryParts(process.pid, "/proc");
  const share = findProportionalBytes(process.pid, "/proc") ?? 0;

  expect(parts?.anonymousBytes).toBeGreaterThan(0);
  expect(parts?.fileBytes).toBeGreaterThan(0);
  expect(share).toBeGreaterThan(0);
  expect(findMemoryParts(2 ** 30, "/proc")).toBeNull();
  expect(findProportionalBytes(2 ** 30, "/proc")).toBeNull();
});

test("a pid that was given to another process isn't the process it was", () => {
  const self = findAlive(process.pid);

  const other = { pid: process.pid, startTicks: (self?.startTicks ?? 0) - 1 };

  expect([isAlive(other), self !== null && isAlive(self)]).toEqual([false, true]);
});

test("a zombie doesn't count as alive", async () => {
  const parent = Bun.spawn(["/bin/sh", "-c", "sleep 0 & exec sleep 9"]);
  await eventually("the shell became sleep and its child ended", () => {
    const [child] = childrenOf(parent.pid);
    return child !== undefined && findAlive(child) === null && findAlive(parent.pid) !== null;
  });

  const children = childrenOf(parent.pid);
  const listed = listAlive().map((found) => found.pid);

  expect(children.filter((pid) => listed.includes(pid))).toEqual([]);
  parent.kill("SIGKILL");
  await parent.exited;
});

test("descendants and their environment are found", async () => {
  const parent = Bun.spawn(["/bin/sh", "-c", "sleep 9 & sleep 9 & wait"], { env: { MARK: "42" } });
  await eventually("both children are there", () => descendantsOf(parent.pid).length === 2);

  const children = descendantsOf(parent.pid);

  expect(children.map((pid) => hasVariable(pid, "MARK", "42"))).toEqual([true, true]);
  expect(hasVariable(parent.pid, "MARK", "4")).toBe(false);
  for (const pid of [...children, parent.pid]) process.kill(pid, "SIGKILL");
  await parent.exited;
});

function aProcess(pid: number, ppid: number): ProcessStat {
  const rest = { state: "S", processGroup: 1, session: 1, startTicks: 100 + pid, rssBytes: 0, cpuMs: 0 };
  return { pid, ppid, ...rest };
}

const init = aProcess(1, 0);
const cli = aProcess(2, 1);
const mcpServer = aProcess(3, 2);
const baseline = new Set([init, cli, mcpServer].map(processKey));

test("what the CLI started since the baseline is left over", () => {
  const tool = aProcess(4, 2);
  const toolsChild = aProcess(5, 4);

  const left = leftoversAmong([init, cli, mcpServer, tool, toolsChild], baseline, cli);

  expect(left).toEqual([tool, toolsChild]);
});

test("what lost its parent is left over", () => {
  const orphan = aProcess(6, 1);

  expect(leftoversAmong([init, cli, mcpServer, orphan], baseline, cli)).toEqual([orphan]);
});

test("what a process of the baseline started is its own", () => {
  const helper = aProcess(7, 3);
  const helpersChild = aProcess(8, 7);

  expect(leftoversAmong([init, cli, mcpServer, helper, helpersChild], baseline, cli)).toEqual([]);
});

test("another process with the pid of one of the baseline is left over", () => {
  const newcomer = { ...aProcess(3, 2), startTicks: 9_999 };

  expect(leftoversAmong([init, cli, newcomer], baseline, cli)).toEqual([newcomer]);
});

test("parents that go in a circle end the search", () => {
  const one = aProcess(10, 11);
  const other = aProcess(11, 10);

  expect(leftoversAmong([init, cli, one, other], baseline, cli)).toEqual([one, other]);
});
