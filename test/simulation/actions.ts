import { agentInputSchema } from "../../src/domain/agent.ts";
import type { Run } from "../../src/domain/run.ts";
import type { ExecuteOutcome, Refusal } from "../../src/runner/runner-api.ts";
import type { Checker } from "./checker.ts";
import { folderOf, type Machine, promptOf, tokenOf } from "./machine.ts";
import type { Random } from "./random.ts";
import type { Server } from "./server.ts";
import type { SimTime } from "./sim-time.ts";

/** What the clients of a server do, and how they take what they are told. */
export interface Clients {
  /** Does one thing, chosen by chance; answers with what it was. */
  act(): string;
  /** Waits that have not come to an end. */
  readonly waiting: number;
  /** Their server is gone, and with it what they waited for. */
  forget(): void;
  /** How often each refusal was heard. */
  readonly refusals: ReadonlyMap<string, number>;
}

export interface ClientsOptions {
  random: Random;
  server: () => Server;
  machine: Machine;
  time: SimTime;
  checker: Checker;
  /** Time goes by when the action is over. */
  letPass(ms: number): void;
}

export const agentIds = ["ada", "bob", "cyd", "dan"];

/** How often each thing is done; most of the time goes by, and processes talk. */
export const actionWeights = {
  talk: 560,
  execute: 100,
  executeAndWait: 40,
  executeWithKey: 30,
  repeatKey: 15,
  repeatKeyOtherwise: 3,
  executeInOldConversation: 6,
  hangUp: 6,
  cancelRun: 25,
  cancelAgent: 5,
  retry: 10,
  readEvents: 20,
  endSession: 8,
  removeConversation: 8,
  removeAgent: 4,
  createAgent: 20,
  patchAgent: 8,
  resetBreaker: 5,
  recheckQuarantine: 5,
  passMoment: 90,
  passWhile: 25,
  passLong: 2,
  jumpWallClock: 3,
};
type Action = keyof typeof actionWeights;

interface Keyed {
  agentId: string;
  key: string;
  prompt: string;
}

/** Requests whose keys are still repeated. */
const keysKept = 30;

export function createClients(options: ClientsOptions): Clients {
  const { random, server, machine, checker, time, letPass } = options;
  const refusals = new Map<string, number>();
  const keyed: Keyed[] = [];
  let lives = 0;
  let waiting = 0;
  let tokens = 0;
  let leaves: AbortController[] = [];

  /** Counts what isn't answered yet; what a server that is gone would have answered is never heard. */
  function hear<T>(answer: Promise<T>, listen: (value: T) => void): void {
    const life = lives;
    waiting += 1;
    void answer.then((value) => {
      if (life !== lives) return;
      waiting -= 1;
      listen(value);
    });
  }
  function note(refusal: object): void {
    if (!("kind" in refusal && refusal.kind === "refused")) return;
    const { code } = refusal as Refusal;
    refusals.set(code, (refusals.get(code) ?? 0) + 1);
  }
  function newPrompt(): string {
    tokens += 1;
    return promptOf(`t${tokens}`);
  }
  function execute(
    asked: { agentId: string; prompt: string; key?: string; conversationId?: string },
    then: (run: Run) => void = () => {},
  ): string {
    const { agentId, prompt, key = null, conversationId } = asked;
    const timeoutMs = random.chance(0.1) ? random.between(1_000, 30_000) : undefined;
    const request = {
      agentId,
      prompt,
      conversationId,
      timeoutMs: key ? undefined : timeoutMs,
      idempotencyKey: key,
    };
    const token = tokenOf(prompt);
    checker.asks(token);
    hear(server().runner.execute(request), (outcome) => {
      if (take(outcome, token, key)) then((outcome as { run: Run }).run);
    });
    return `${agentId} ${prompt}${key ? ` with key ${key}` : ""}`;
  }
  function take(outcome: ExecuteOutcome, token: string, key: string | null): boolean {
    if (outcome.kind !== "accepted" || outcome.replay) checker.asksNoMore(token);
    if (outcome.kind === "accepted") checker.acknowledge(outcome.run, key);
    else note(outcome);
    return outcome.kind === "accepted";
  }
  function waitFor(run: Run): void {
    const leave = new AbortController();
    leaves.push(leave);
    hear(server().runner.whenSettled(run.id, leave.signal), (news) => {
      leaves = leaves.filter((other) => other !== leave);
      if (typeof news === "object" && !leave.signal.aborted) checker.told(news);
    });
  }
  function someRun(): string | null {
    const ids = [...checker.acknowledged.keys()];
    // Mostly a recent one, which may be in progress or wait.
    const recent = random.chance(0.8) ? ids.slice(-8) : ids;
    return recent.length > 0 ? random.pick(recent) : null;
  }
  const ofSomeRun = (act: (runId: string) => void): string => {
    const runId = someRun();
    if (runId !== null) act(runId);
    return runId ?? "nothing";
  };
  const someConversation = (): string | null => {
    const all = [...checker.acknowledged.values()];
    return all.length > 0 ? random.pick(all.slice(-60)).conversationId : null;
  };
  function pass(ms: number): string {
    letPass(ms);
    return `${ms} ms`;
  }

  const actions: Record<Action, (agentId: string) => string> = {
    talk() {
      const able = machine.living().filter(({ process }) => process.hasSteps);
      if (able.length === 0) return "nobody";
      const { process } = random.pick(able);
      process.step();
      return process.spec.processId;
    },
    execute: (agentId) => execute({ agentId, prompt: newPrompt() }),
    executeAndWait: (agentId) => execute({ agentId, prompt: newPrompt() }, waitFor),
    executeWithKey(agentId) {
      const request = { agentId, key: `key-${tokens}`, prompt: newPrompt() };
      keyed.push(request);
      if (keyed.length > keysKept) keyed.shift();
      return execute(request);
    },
    repeatKey: () => (keyed.length > 0 ? execute(random.pick(keyed)) : "nothing"),
    repeatKeyOtherwise() {
      if (keyed.length === 0) return "nothing";
      return execute({ ...random.pick(keyed), prompt: newPrompt() });
    },
    executeInOldConversation(agentId) {
      const conversationId = someConversation();
      return conversationId ? execute({ agentId, prompt: newPrompt(), conversationId }) : "nothing";
    },
    hangUp() {
      const [first] = leaves;
      first?.abort();
      return first ? "a client" : "nobody";
    },
    cancelRun: () => ofSomeRun((runId) => hear(server().runner.cancelRun(runId), note)),
    cancelAgent(agentId) {
      const queued = random.chance(0.5);
      hear(server().runner.cancelAgent(agentId, { queued }), note);
      return agentId;
    },
    retry: () =>
      ofSomeRun((runId) => {
        const { token } = checker.acknowledged.get(runId)!;
        checker.asks(token);
        hear(server().runner.retryRun(runId), (outcome) => void take(outcome, token, null));
      }),
    readEvents: () => ofSomeRun((runId) => checker.readEvents(runId)),
    endSession(agentId) {
      hear(server().runner.endSession(agentId, { force: random.chance(0.3) }), note);
      return agentId;
    },
    removeConversation() {
      const conversationId = someConversation();
      if (conversationId === null) return "nothing";
      checker.mayBeRemoved(conversationId);
      hear(server().runner.removeConversation(conversationId), note);
      return conversationId;
    },
    removeAgent(agentId) {
      hear(server().runner.removeAgent(agentId, { force: random.chance(0.5) }), note);
      return agentId;
    },
    createAgent(agentId) {
      hear(server().runner.createAgent(newAgent(agentId)), note);
      return agentId;
    },
    patchAgent(agentId) {
      const patch = random.pick([
        { systemPrompt: `Be kind, ${random.between(1, 3)}.` },
        { systemPrompt: null },
        { model: `model-${random.between(1, 3)}` },
        { permissionMode: random.pick(["read", "edit"] as const) },
      ]);
      hear(server().runner.patchAgent(agentId, patch), note);
      return agentId;
    },
    resetBreaker(agentId) {
      hear(server().runner.resetBreaker(agentId), note);
      return agentId;
    },
    recheckQuarantine(agentId) {
      hear(server().runner.recheckQuarantine(agentId), note);
      return agentId;
    },
    passMoment: () => pass(random.between(1, 200)),
    passWhile: () => pass(random.between(200, 5_000)),
    passLong: () => pass(random.between(5_000, 90_000)),
    jumpWallClock() {
      const byMs = random.pick([-86_400_000, -3_600_000, -1_000, 1_000, 3_600_000, 86_400_000]);
      time.jumpWall(byMs);
      return `${byMs} ms`;
    },
  };
  return {
    act() {
      const name = random.weighted(actionWeights);
      return `${name} ${actions[name](random.pick(agentIds))}`;
    },
    get waiting() {
      return waiting;
    },
    forget() {
      lives += 1;
      waiting = 0;
      leaves = [];
    },
    refusals,
  };
}

export function newAgent(agentId: string) {
  return agentInputSchema.parse({ id: agentId, cli: "demo", cwd: folderOf(agentId) });
}
