import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ClaimedRun, Settlement } from "../../src/domain/ports.ts";
import type { Store } from "../../src/store/store.ts";
import {
  answered,
  atMs,
  openTestStore,
  reapStrays,
  running,
  settings,
  settlement,
  starting,
  type TestStore,
} from "./fixture.ts";

const named = (cliSessionId: string) => ({ sessionBegun: { cliSessionId, fingerprint: "f" } });

/** Two agents of one CLI, of which the first is in the midst of a turn in the session "s-1". */
async function openWithHolder(): Promise<{ at: TestStore; holder: ClaimedRun; other: ClaimedRun }> {
  const at = openTestStore();
  for (const id of ["ada", "bob"]) await at.store.createAgent(settings({ id }));
  const holder = await running(at.store);
  await at.store.note(holder.runId, holder.fence, named("s-1"));
  return { at, holder, other: await running(at.store, { agentId: "bob" }) };
}

/** The session in which each conversation goes on; null where it holds none or it isn't begun. */
function sessionOf(store: Store, { conversationId }: { conversationId: string }): string | null {
  return store.findConversation(conversationId)!.cliSessionId;
}

describe("a session that another conversation holds", () => {
  test("is not adopted: all else is noted, and the caller is told", async () => {
    const { at, holder, other } = await openWithHolder();
    await using _ = at;

    const outcome = await at.store.note(other.runId, other.fence, { ...named("s-1"), model: "opus" });

    expect(outcome).toBe("session_taken");
    expect(at.store.getRun(other.runId)).toMatchObject({ model: "opus", cliSessionId: "s-1", anomalies: [] });
    expect(sessionOf(at.store, other)).toBeNull();
    expect(sessionOf(at.store, holder)).toBe("s-1");
    expect(at.violations()).toEqual([]);
  });

  test("leaves the conversation without one, so that its next turn begins afresh", async () => {
    const { at, other } = await openWithHolder();
    await using _ = at;
    await at.store.note(other.runId, other.fence, named("s-2"));
    await at.store.note(other.runId, other.fence, named("s-1"));
    await at.store.settle(settlement(other));

    const next = await starting(at.store, { agentId: "bob" });

    expect(next).toMatchObject({ cliSessionId: null, sessionBegun: false, answeredBefore: true });
  });

  test("that is named in the last moment of a run is told in the run itself", async () => {
    const { at, other } = await openWithHolder();
    await using _ = at;
    const anomalies = [{ code: "session_mismatch", count: 1 }];

    const run = await at.store.settle(settlement(other, { note: named("s-1"), anomalies }));

    const events = at.store.listEvents(other.runId, 0, 10);
    expect(run).toMatchObject({
      state: "succeeded",
      content: "Hello",
      anomalies: [{ code: "session_mismatch", count: 2 }],
    });
    expect(events.at(-2)).toMatchObject({ type: "notice", code: "session_mismatch" });
    expect(sessionOf(at.store, other)).toBeNull();
    expect(at.violations()).toEqual([]);
  });

  test("is held while its conversation has ended, since it may be taken up again", async () => {
    const { at, holder, other } = await openWithHolder();
    await using _ = at;
    await at.store.settle(settlement(holder));
    await at.store.endActiveConversation("ada", atMs);

    expect(await at.store.note(other.runId, other.fence, named("s-1"))).toBe("session_taken");
    expect(sessionOf(at.store, holder)).toBe("s-1");
  });

  test("is free when its conversation is deleted or goes on in another one", async () => {
    const { at, holder, other } = await openWithHolder();
    await using _ = at;
    await at.store.note(holder.runId, holder.fence, named("s-2"));
    const renewed = await at.store.note(other.runId, other.fence, named("s-1"));
    await at.store.settle(settlement(holder));
    await at.store.removeConversation(holder.conversationId);
    const deleted = await at.store.note(other.runId, other.fence, named("s-2"));

    expect([renewed, deleted]).toEqual(["ok", "ok"]);
    expect(sessionOf(at.store, other)).toBe("s-2");
  });
});

test("a conversation names its own session again and again", async () => {
  const { at, holder } = await openWithHolder();
  await using _ = at;

  expect(await at.store.note(holder.runId, holder.fence, named("s-1"))).toBe("ok");
});

test("the same id is another session where another CLI, or another ACP agent, names it", async () => {
  await using at = openTestStore();
  const kinds = [
    { id: "a", cli: "claude" as const },
    { id: "b", cli: "acp" as const, acpAgent: "opencode" },
    { id: "c", cli: "acp" as const, acpAgent: "goose" },
  ];
  const outcomes: string[] = [];

  for (const kind of kinds) {
    await at.store.createAgent(settings(kind));
    const run = await running(at.store, { agentId: kind.id });
    outcomes.push(await at.store.note(run.runId, run.fence, named("1")));
  }

  expect(outcomes).toEqual(["ok", "ok", "ok"]);
  expect(at.violations()).toEqual([]);
});

test("a CLI that names no session leaves the conversation without one", async () => {
  const { at, other } = await openWithHolder();
  await using _ = at;

  expect(await at.store.note(other.runId, other.fence, named(""))).toBe("session_taken");
  expect(sessionOf(at.store, other)).toBeNull();
});

test("a conversation without answers has nothing that a session would have to know", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const failed: Partial<Settlement> = {
    state: "failed",
    error: { code: "auth_required", message: "no" },
    content: "",
    contentFinal: false,
  };

  const first = await starting(at.store);
  await at.store.settle(settlement(first, failed));
  const second = await running(at.store);
  await at.store.settle(settlement(second));
  const third = await starting(at.store);

  expect([first, second, third].map(({ answeredBefore }) => answeredBefore)).toEqual([false, false, true]);
});

type Step =
  | { do: "turn"; agentId: string; cliSessionId: string; late: boolean; ends: boolean }
  | { do: "end" | "remove"; agentId: string }
  | { do: "restart" | "sweep" };

const agentId = fc.constantFrom("ada", "bob", "cy");
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("turn" as const),
      agentId,
      cliSessionId: fc.constantFrom("s-1", "s-2", "s-3"),
      late: fc.boolean(),
      ends: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("end" as const, "remove" as const), agentId }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("restart" as const, "sweep" as const) }) },
);

/** Who holds which session, as a reader of all steps would know it. */
type Holders = Map<string, string>;

function drop(holders: Holders, conversationId: string): void {
  for (const [held, holder] of holders) if (holder === conversationId) holders.delete(held);
}

async function take(at: TestStore, holders: Holders, step: Step): Promise<void> {
  if (step.do === "turn") return carry(at, holders, step);
  if (step.do === "end") return void (await at.store.endActiveConversation(step.agentId, atMs));
  if (step.do === "remove") {
    const { id = "" } = at.store.findActiveConversation(step.agentId) ?? {};
    const removed = await at.store.removeConversation(id);
    return typeof removed === "object" ? drop(holders, id) : undefined;
  }
  if (step.do === "sweep") return sweep(at, holders);
  await at.reopen();
  await reapStrays(at.store);
  for (const { runId } of at.store.listInterrupted()) {
    const ids = { assistantTurnId: `turn_of_${runId}` };
    await at.store.settleInterrupted(runId, ids, "server_restart", atMs);
  }
}

/** A turn in which the CLI names a session, while it runs or in its last moment; some turns are left in progress. */
async function carry(
  { store }: TestStore,
  holders: Holders,
  { agentId: agent, cliSessionId, late, ends }: Extract<Step, { do: "turn" }>,
): Promise<void> {
  if (store.activityOf(agent).activeRunId !== null) return;
  const run = await running(store, { agentId: agent });
  const isFree = (holders.get(cliSessionId) ?? run.conversationId) === run.conversationId;
  if (!late) {
    const noted = await store.note(run.runId, run.fence, named(cliSessionId));
    expect(noted).toBe(isFree ? "ok" : "session_taken");
  }
  if (ends || late) await store.settle(settlement(run, { note: late ? named(cliSessionId) : null }));
  drop(holders, run.conversationId);
  if (isFree) holders.set(cliSessionId, run.conversationId);
  expect(sessionOf(store, run)).toBe(isFree ? cliSessionId : null);
}

async function sweep({ store }: TestStore, holders: Holders): Promise<void> {
  await store.sweepSessions(atMs + 365 * 86_400_000);
  await store.sweepProcesses(atMs + 365 * 86_400_000);
  for (const conversationId of new Set(holders.values())) {
    if (store.findConversation(conversationId)!.status === "ended") drop(holders, conversationId);
  }
}

test("whatever happens, a session is held by the conversation that named it first", async () => {
  const steps = fc.array(anyStep, { minLength: 10, maxLength: 40, size: "max" });
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      await using at = openTestStore();
      for (const id of ["ada", "bob", "cy"]) await at.store.createAgent(settings({ id }));
      const holders: Holders = new Map();

      for (const step of taken) await take(at, holders, step);

      for (const [held, conversationId] of holders)
        expect(sessionOf(at.store, { conversationId })).toBe(held);
      expect(at.violations()).toEqual([]);
    }),
    { numRuns: 25 },
  );
}, 120_000);

test("a conversation that is taken up again goes on in the session that it held", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const first = await answered(at.store, {}, { note: named("s-1") });
  await at.store.endActiveConversation("ada", atMs);
  await answered(at.store);

  const again = await starting(at.store, { conversationId: first.conversationId });

  expect(again).toMatchObject({ cliSessionId: "s-1", sessionBegun: true });
});
