import { expect, test } from "bun:test";
import { openStage, type Stage } from "./stage.ts";

/** More than any machine has, so that every start is short of it. */
const wantsMemory = { HEADWAY_FREE_MEMORY_MB: "1048576" };

const isWaiting = ({ type, ...event }: { type: string; code?: string }) =>
  type === "notice" && event.code === "waiting_for_memory";

test("a run whose CLI waits for memory says so, and ends at once by a cancel or by its deadline", async () => {
  await using stage = await openStage(wantsMemory);
  const [cancelled, late] = [await stage.agent(), await stage.agent()];

  const toCancel = await cancelled.begin("hello");
  const toEnd = await late.begin("hello", { timeoutMs: 1_000 });
  await stage.eventSeen(toCancel.id, isWaiting);
  const cancel = await stage.cancel(toCancel.id);
  const ended = await stage.settled(toEnd.id);

  expect(cancel).toMatchObject({ state: "cancelled", survivors: 0 });
  expect(ended).toMatchObject({ state: "timed_out", error: { code: "deadline" }, survivors: 0 });
  expect(stage.fakeLog()).toEqual([]);
  expect(await metricOf(stage, 'reason="memory",outcome="stopped"')).toBe(2);
});

test("a run whose CLI waits for memory doesn't keep the server from ending", async () => {
  // Longer than the test may take: the drain isn't used up.
  await using stage = await openStage({ ...wantsMemory, HEADWAY_DRAIN_MS: "600000" });
  const run = await (await stage.agent()).begin("hello");
  await stage.eventSeen(run.id, isWaiting);

  expect(await stage.server.stop()).toBe(0);
  await stage.server.restart({ HEADWAY_FREE_MEMORY_MB: "0" });

  expect(await stage.settled(run.id)).toMatchObject({ state: "interrupted", error: { code: "shutdown" } });
});

test("where one may come up at a time the others wait for their turn, and all succeed", async () => {
  await using stage = await openStage({ HEADWAY_MAX_STARTS: "1" });
  const agents = [await stage.agent(), await stage.agent(), await stage.agent()];

  const answers = await Promise.all(agents.map((agent) => agent.ask("hello")));

  expect(answers).toEqual(agents.map(() => "You said: hello"));
  expect(await metricOf(stage, 'reason="turn",outcome="entered"')).toBe(2);
});

async function metricOf({ server }: Stage, labels: string): Promise<number> {
  const text = await (await server.fetch("/metrics")).text();
  const line = text
    .split("\n")
    .find((one) => one.startsWith("headway_start_wait_seconds_count") && one.includes(labels));
  return Number(line?.split(" ").at(-1) ?? 0);
}
