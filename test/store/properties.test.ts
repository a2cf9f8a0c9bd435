import { expect, test } from "bun:test";
import fc from "fast-check";
import type { ClaimedRun } from "../../src/domain/ports.ts";
import { isTerminal, terminalStates } from "../../src/domain/run-state.ts";
import {
  admission,
  atMs,
  begun,
  id,
  openTestStore,
  reapStrays,
  settings,
  settlement,
  type TestStore,
} from "./fixture.ts";

type Picked = { do: "claim" | "begin" | "speak" | "cancel" | "forget"; pick: number };
type Settled = { do: "settle"; pick: number; state: (typeof terminalStates)[number]; text: string };
type Whole = { do: "end" } | { do: "restart" };
type Admitted = { do: "admit"; agent: string; mayClaim: boolean; fresh: boolean };
type Step = Admitted | Picked | Settled | Whole;

const agents = ["ada", "bob"];
const pick = fc.nat({ max: 7 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("admit" as const),
      agent: fc.constantFrom(...agents),
      mayClaim: fc.boolean(),
      fresh: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "claim" as const,
        "begin" as const,
        "speak" as const,
        "cancel" as const,
        "forget" as const,
      ),
      pick,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      pick,
      state: fc.constantFrom(...terminalStates),
      text: fc.string({ maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("end" as const, "restart" as const) }) },
);

/** What a caller knows: the runs it admitted and those it believes to hold. */
interface Caller {
  at: TestStore;
  runIds: string[];
  held: ClaimedRun[];
}

async function take(caller: Caller, step: Step): Promise<void> {
  const { store } = caller.at;
  if (step.do === "admit") return admitAs(caller, step);
  if (step.do === "end") return void (await store.endActiveConversation("ada", atMs));
  if (step.do === "restart") return restart(caller);
  const runId = caller.runIds[step.pick % caller.runIds.length];
  if (runId === undefined) return;
  if (step.do === "cancel") return void (await store.requestCancel(runId, atMs));
  if (step.do === "claim") return claimAs(caller, runId);
  if (step.do === "forget")
    return void (await store.removeConversation(store.getRun(runId)?.conversationId ?? ""));
  const held = caller.held[step.pick % caller.held.length];
  if (held !== undefined) await takeHeld(caller, held, step);
}

async function admitAs({ at, runIds, held }: Caller, step: Admitted): Promise<void> {
  const older = step.fresh ? null : (at.store.getRun(runIds[0] ?? "")?.conversationId ?? null);
  const result = await at.store.admit(
    admission({ agentId: step.agent, conversationId: older, queueLimit: 3, mayClaim: () => step.mayClaim }),
  );
  if (result.kind !== "admitted") return;
  runIds.push(result.run.id);
  if (result.claimed !== null) held.push(result.claimed);
}

async function claimAs({ at, held }: Caller, runId: string): Promise<void> {
  const run = at.store.getRun(runId);
  if (run === null || at.store.activityOf(run.agentId).activeRunId !== null) return;
  const claimed = await at.store.claim(runId, atMs);
  if (claimed !== null) held.push(claimed);
}

async function takeHeld({ at: { store } }: Caller, held: ClaimedRun, step: Step): Promise<void> {
  const before = store.getRun(held.runId);
  if (step.do === "begin" && before?.state === "starting") await begun(store, held);
  if (step.do === "speak")
    await store.append(held.runId, held.fence, [{ type: "text", text: "x", block: 0 }], atMs);
  if (step.do !== "settle") return;
  const isPossible = step.state !== "succeeded" || before?.state === "running";
  const state = isPossible ? step.state : "failed";
  if (state === "cancelled") await store.requestCancel(held.runId, atMs);
  const contentFinal = state === "succeeded";
  await store.settle(settlement(held, { state, content: step.text, contentFinal }));
  const after = store.getRun(held.runId);
  expect(after === null || isTerminal(after.state)).toBe(true);
  if (before !== null && isTerminal(before.state)) expect(after).toEqual(before);
}

/** What was held before a restart is still believed to be held: it must be stale. */
async function restart({ at }: Caller): Promise<void> {
  await at.reopen();
  await reapStrays(at.store);
  for (const { runId } of at.store.listInterrupted()) {
    await at.store.settleInterrupted(runId, { assistantTurnId: id("turn") }, "server_restart", atMs);
  }
}

test("no sequence of steps breaks an invariant or moves a run that has ended", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 30 }), async (steps) => {
      await using at = openTestStore();
      for (const agent of agents) await at.store.createAgent(settings({ id: agent }));
      const caller: Caller = { at, runIds: [], held: [] };

      for (const step of steps) await take(caller, step);

      expect(at.violations()).toEqual([]);
    }),
    { numRuns: 40 },
  );
}, 120_000);
