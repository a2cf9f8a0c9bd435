import { type Clock, within } from "../../domain/clock.ts";
import type { PublishFact } from "../../domain/facts.ts";
import type { AgentSettings } from "../../domain/agent.ts";
import type { ClaimedRun, ConversationLog, RunLog, RunStart } from "../../domain/ports.ts";
import type { Adapter } from "../adapters/adapter.ts";
import type { LiveRun } from "../live-run.ts";
import type { ExitStatus } from "../process/cli-process.ts";
import type { RunLogFile } from "../process/log-file.ts";
import type { Redactor } from "../policies/redaction.ts";
import type { Wakeups } from "../runner-api.ts";
import { anomalySeen, isReusable, type SessionProcess } from "../session-process.ts";
import type { WarmPool } from "../warm-pool.ts";
import { type AttemptEnd, type Remedies, remedyFor } from "./attempt.ts";
import { converse, type Conversed } from "./converse.ts";
import {
  planFreshSession,
  planSession,
  processFingerprint,
  sessionFingerprint,
  type SessionPlan,
  whyFreshSession,
} from "./session-plan.ts";
import { retireProcess, startProcess, type StartProcessOptions } from "./start-process.ts";
import type { CarriedTurn, Transport } from "./transport.ts";
import { unlessStoreFails } from "../store-failure.ts";
import { createWarmTrouble, type WarmTrouble } from "./warm-trouble.ts";
import { createTurnRecorder, type RecorderHooks, type TurnRecorder } from "./turn-recorder.ts";

export interface HeadlessOptions {
  start: StartProcessOptions;
  pool: WarmPool;
  /** Null for an agent that this server can't carry: its ACP agent is no longer configured, say. */
  adapterOf(agent: Pick<AgentSettings, "cli" | "acpAgent">): Adapter | null;
  log: RunLog;
  conversations: ConversationLog;
  wakeups: Wakeups;
  redactor: Redactor;
  clock: Clock;
  publish: PublishFact;
  newSessionId(): string;
  openRawLog(runId: string): RunLogFile;
  eventLimit: number;
  runTimeoutMs: number;
  stallTimeoutMs: number;
  firstOutputMs: number;
  killGraceMs: number;
  lingerMs: number;
}

/** Carries turns in supervised processes, warm ones where there are any. */
export function createHeadlessTransport(options: HeadlessOptions): Transport {
  const trouble = createWarmTrouble(options.clock);
  return { carry: (run, live) => carryTurn({ ...options, trouble }, run, live) };
}

type CarryOptions = HeadlessOptions & { trouble: WarmTrouble };

/** What an attempt at the turn came to. */
interface Attempt {
  session: SessionProcess | null;
  reused: boolean;
  conversed: Conversed;
}

async function carryTurn(options: CarryOptions, run: ClaimedRun, live: LiveRun): Promise<CarriedTurn> {
  const rawLog = options.openRawLog(run.runId);
  const turn = createTurn(options, run, live, rawLog);
  try {
    await turn.prepare();
    let attempt = await turn.attempt();
    for (let remedy = turn.remedyFor(attempt); remedy; remedy = turn.remedyFor(attempt)) {
      await turn.apply(remedy, attempt);
      attempt = await turn.attempt();
    }
    return await turn.conclude(attempt);
  } finally {
    void rawLog.close();
  }
}

/** One run's turn, over as many attempts as it may take. */
function createTurn(options: CarryOptions, run: ClaimedRun, live: LiveRun, rawLog: RunLogFile) {
  const { pool, clock } = options;
  const adapter = options.adapterOf(run.agent);
  const begunMs = clock.monotonicMs();
  const tried: Remedies = { replaced: false, fellBack: false, renewed: false };
  const hooks = createHookSwitch();
  const { log, wakeups, redactor, eventLimit } = options;
  const recorder = createTurnRecorder({
    run,
    log,
    wakeups,
    redactor,
    rawLog,
    clock,
    eventLimit,
    sessionFingerprint: adapter ? sessionFingerprint(run.agent, adapter) : "",
    hooks,
  });
  let plan: SessionPlan = planSession(run, options.newSessionId);
  const fingerprint = processFingerprint(run.agent);
  let isOneTurn = !pool.keepsAny || options.trouble.isResting(run.agent.id, fingerprint);
  /** Processes of an earlier attempt that could not be ended: nothing more is started beside them. */
  let survivors = 0;
  let runStart: RunStart | null = null;
  let preparedMs = 0;
  /** Of the process that was started last. */
  let cameUp = () => {};

  const storeFailed = (message: string) => live.stop({ kind: "store_error", message });

  async function renewSession(): Promise<void> {
    const { conversations } = options;
    const fresh = planFreshSession(run, conversations, options.newSessionId());
    const renewed = conversations.renewSession(run.conversationId, fresh.cliSessionId);
    await unlessStoreFails(
      renewed.then(() => (plan = fresh)),
      storeFailed,
    );
  }
  /** A session that can't go on under the agent's present settings is replaced before the first attempt. */
  async function prepare(): Promise<void> {
    if (isOneTurn && pool.keepsAny) await pool.endConversation(run.conversationId);
    const why = adapter && whyFreshSession(run, adapter);
    if (!adapter || !why) return;
    await pool.endConversation(run.conversationId);
    await renewSession();
    if (why === "changed") {
      recorder.notice("session_restarted", `${whatChanged(adapter)} changed: ${retold}`);
    } else recorder.notice("session_lost", `The CLI has no session of this conversation any more: ${retold}`);
  }
  async function attempt(): Promise<Attempt> {
    if (!adapter) return silentAttempt(live, null, notCarried(run.agent));
    const warm = isOneTurn ? null : await takeWarm();
    if (survivors > 0) return silentAttempt(live, null, notEnded);
    if (live.stopReason) return silentAttempt(live, warm, null);
    const session = warm ?? (await start(adapter));
    if ("code" in session) return silentAttempt(live, null, session);
    await begin(session, warm !== null);
    if (live.stopReason) return silentAttempt(live, session, null);
    const conversed = await talk(session);
    if (!isOneTurn && conversed.verdict && conversed.verdict.kind !== "unready")
      options.trouble.cameUp(run.agent.id);
    return { session, reused: warm !== null, conversed };
  }
  async function takeWarm(): Promise<SessionProcess | null> {
    const taken = await pool.take(run.conversationId, fingerprint);
    if (taken === null || typeof taken !== "number") return taken && (await unlessTooOld(taken));
    survivors = taken;
    return null;
  }
  /** Which version it is may not have been known when the process was started. */
  async function unlessTooOld(session: SessionProcess): Promise<SessionProcess | null> {
    if (!adapter) return session;
    const version = await options.start.checkVersion(adapter, session.cliVersion);
    if (version.kind === "too_old") {
      survivors = await retireProcess(options.start, session, "too_old");
      return null;
    }
    session.cliVersion = version.cliVersion;
    return session;
  }
  async function start(using: Adapter) {
    // The clock of the turn begins with its conversation; until then the deadline is watched here.
    const deadline = clock.after(Math.max(0, timeLeftMs()), () => live.stop({ kind: "deadline" }));
    const outcome = await startProcess(options.start, using, run, plan, isOneTurn, {
      stopped: live.stopped,
      onShortOfMemory: (message) => recorder.notice("waiting_for_memory", message),
      onClosing: () => live.stop({ kind: "shutdown" }),
    });
    deadline.stop();
    if (outcome.kind === "failed") {
      survivors += outcome.survivors ?? 0;
      return outcome;
    }
    cameUp = outcome.cameUp;
    return outcome.session;
  }
  /** By the monotonic clock: a wall clock that jumps ends no run. */
  function timeLeftMs(): number {
    const timeoutMs = run.timeoutMs ?? run.agent.timeoutMs ?? options.runTimeoutMs;
    return timeoutMs - (clock.monotonicMs() - begunMs);
  }
  /** `running` needs no disk of its own: the claim was durable, and the order of commits is the order of calls. */
  async function begin(session: SessionProcess, warm: boolean): Promise<void> {
    const { runId, fence } = run;
    if (runStart) return unlessStoreFails(options.log.note(runId, fence, { warm }), storeFailed);
    runStart = { runId, fence, processId: session.process.id, warm, atMs: clock.wallMs() };
    const committed = unlessStoreFails(options.log.begin(runStart), storeFailed);
    if (!warm) await committed;
  }
  async function talk(session: SessionProcess): Promise<Conversed> {
    const prompt = options.redactor.restore(run.prompt, run.promptHoles);
    preparedMs = clock.monotonicMs() - begunMs;
    if (session.cliVersion) recorder.cliVersion(session.cliVersion);
    const { stallTimeoutMs, firstOutputMs, killGraceMs } = options;
    return converse({
      clock,
      session,
      prompt: plan.preface + prompt,
      live,
      recorder,
      hooks,
      limits: { deadlineInMs: timeLeftMs(), stallTimeoutMs, firstOutputMs, killGraceMs },
      onSignOfLife: () => cameUp(),
      onFirstOutput: () => {
        const tookMs = clock.monotonicMs() - begunMs;
        options.publish({ type: "run.first_output", runId: run.runId, cli: run.agent.cli, tookMs });
      },
      onAnomaly: (code, detail) => options.publish(anomalySeen(session, code, detail)),
    });
  }
  function fallBack(): void {
    isOneTurn = true;
    options.trouble.failed(run.agent.id, fingerprint);
  }
  async function apply(remedy: NonNullable<ReturnType<typeof remedyFor>>, last: Attempt): Promise<void> {
    tried[remedy.kind] = true;
    if (last.session) survivors = await retireProcess(options.start, last.session, remedy.kind);
    cameUp();
    if (remedy.kind === "renewed" && remedy.isCertain) await renewSession();
    // The old session stays the conversation's until the CLI has begun the fresh one.
    else if (remedy.kind === "renewed")
      plan = planFreshSession(run, options.conversations, options.newSessionId());
    if (remedy.kind === "fellBack") fallBack();
    recorder.notice(remedy.notice.code, remedy.notice.message);
  }
  return {
    prepare,
    attempt,
    apply,
    remedyFor: (last: Attempt) =>
      remedyFor(attemptEnd(last, recorder, { isOneTurn, resumed: plan.resume }), tried),
    async conclude(last: Attempt): Promise<CarriedTurn> {
      const carried = await concludeTurn(options, last, recorder, preparedMs);
      return {
        ...carried,
        start: runStart,
        survivors: survivors + carried.survivors,
        async release() {
          const left = survivors + (await carried.release());
          // A process that was ended without a word takes no place from those that are to come up.
          cameUp();
          return left;
        },
      };
    },
  };
}

function notCarried({ cli, acpAgent }: AgentSettings): NonNullable<Conversed["failure"]> {
  const message = acpAgent
    ? `No ACP agent named ${acpAgent} is configured in acp-agents.json any more.`
    : `This server does not carry ${cli}.`;
  return { code: "cli_not_found", message };
}

const notEnded: NonNullable<Conversed["failure"]> = {
  code: "spawn_error",
  message: "An earlier process of this conversation could not be ended, so none was started beside it.",
  isOurs: true,
};

const retold = "a fresh session was told the conversation so far.";

function whatChanged({ sessionsKeepFolder }: Adapter): string {
  return sessionsKeepFolder ? "The system prompt or the folder" : "The system prompt";
}

/** An attempt that ended before anything was said; a stop that came meanwhile counts more than the failure. */
function silentAttempt(
  live: LiveRun,
  session: SessionProcess | null,
  failure: Conversed["failure"],
): Attempt {
  return {
    session,
    reused: false,
    conversed: { verdict: null, exitAfterResult: null, failure, stop: live.stopReason },
  };
}

function attemptEnd(
  { session, reused, conversed }: Attempt,
  recorder: TurnRecorder,
  how: Pick<AttemptEnd, "isOneTurn" | "resumed">,
): AttemptEnd {
  const { verdict, failure, stop } = conversed;
  const { spoke, printed } = recorder;
  const prompted = session?.dialogue.prompted ?? false;
  const silent = session?.process.stderrTail.trim() === "";
  return { ...how, prompted, silent, reused, spoke, printed, stopped: stop !== null, verdict, failure };
}

async function concludeTurn(
  options: HeadlessOptions,
  { session, reused, conversed }: Attempt,
  recorder: TurnRecorder,
  preparedMs: number,
): Promise<Omit<CarriedTurn, "start">> {
  const endedAtMonotonicMs = options.clock.monotonicMs();
  const { leftovers, ...account } = session?.process.account() ?? nothingUsed;
  let survivors = session ? await clearAway(session, leftovers.length) : 0;
  if (session && conversed.stop && survivors === 0) survivors = await clearLate(options.clock, session);
  if (survivors > 0) {
    recorder.anomaly("leftover_processes", `${survivors} processes of the run could not be ended.`);
  }
  return {
    end: conversed,
    recorded: await recorder.finish(),
    warm: reused,
    exit: exitOfRun(session, conversed),
    ...account,
    survivors,
    endedAtMonotonicMs,
    preparedMs,
    release: () => (session ? release(options, session, conversed, endedAtMonotonicMs) : Promise.resolve(0)),
  };
}

/** What becomes of a process after it has answered is no part of the run, but for the moment that `converse` waits. */
function exitOfRun(session: SessionProcess | null, conversed: Conversed): ExitStatus | null {
  if (conversed.verdict?.kind === "succeeded") return conversed.exitAfterResult;
  return session?.process.exitStatus ?? null;
}

/** How long a CLI that was interrupted may take to start a tool that it had decided on. */
const lateToolMs = 30;

/**
 * An interrupt can cross a tool on its way into being: Claude 2.1.330 then says that the turn is over, and
 * starts the tool.
 */
async function clearLate(clock: Clock, session: SessionProcess): Promise<number> {
  const { process } = session;
  if (process.exitStatus !== null) return 0;
  await within(clock, process.exited, lateToolMs);
  return clearAway(session, process.leftovers().length);
}

const nothingUsed = { peakRssBytes: null, cpuMs: null, leftovers: [] };

/** Ends what the run started besides its CLI; if that fails, or the CLI is gone, the whole tree. */
async function clearAway(session: SessionProcess, leftovers: number): Promise<number> {
  const { process } = session;
  if (process.exitStatus !== null) return process.killTree();
  if (leftovers === 0) return 0;
  const left = await process.killLeftovers();
  if (left === 0) return 0;
  session.retiredBecause = "leftovers could not be ended";
  return process.killTree();
}

async function release(
  options: HeadlessOptions,
  session: SessionProcess,
  conversed: Conversed,
  endedAtMonotonicMs: number,
): Promise<number> {
  if (conversed.verdict && options.pool.keepsAny && isReusable(session)) {
    options.pool.keep(session);
    return 0;
  }
  const lingeredMs = options.clock.monotonicMs() - endedAtMonotonicMs;
  if (conversed.verdict && session.process.exitStatus === null) {
    session.process.closeInput();
    const isGone = await within(
      options.clock,
      session.process.exited,
      Math.max(0, options.lingerMs - lingeredMs),
    );
    if (!isGone) session.process.signal("SIGTERM");
  }
  return retireProcess(options.start, session, session.retiredBecause ?? "turn_over");
}

/** The recorder exists before the conversation that it reports to. */
function createHookSwitch(): RecorderHooks & { use(hooks: RecorderHooks): void } {
  let current: RecorderHooks | null = null;
  return {
    use: (hooks) => (current = hooks),
    firstOutput: () => current?.firstOutput(),
    toolsOpen: (count) => current?.toolsOpen(count),
    versionTold: (cliVersion) => current?.versionTold(cliVersion),
    helpersKept: (ageMsMin) => current?.helpersKept(ageMsMin),
    write: (input) => current?.write(input),
    turnEnded: (verdict) => current?.turnEnded(verdict),
    retire: (reason) => current?.retire(reason),
    anomaly: (code, detail) => current?.anomaly(code, detail),
    storeFailed: (message) => current?.storeFailed(message),
  };
}
