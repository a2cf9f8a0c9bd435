import { type Alarm, type Clock, within } from "../../domain/clock.ts";
import type { Failure, Verdict } from "../adapters/adapter.ts";
import type { LiveRun, StopReason } from "../live-run.ts";
import type { ExitStatus, ProcessListener } from "../process/cli-process.ts";
import { startWatchdogs, type WatchdogLimits, type Watchdogs } from "../policies/watchdogs.ts";
import { hasOpenInput, type SessionProcess } from "../session-process.ts";
import { stopTurn } from "./stop-turn.ts";
import type { RecorderHooks, TurnRecorder } from "./turn-recorder.ts";

/** How long after its result a one-turn process's exit still counts for the run. */
const exitAfterResultMs = 500;
/** How long a CLI may take to be ready for its prompt, if the first output may take longer still. */
const readyMsMax = 30_000;

export interface ConverseOptions {
  clock: Clock;
  session: SessionProcess;
  prompt: string;
  live: LiveRun;
  recorder: TurnRecorder;
  hooks: { use(hooks: RecorderHooks): void };
  limits: WatchdogLimits & { killGraceMs: number };
  /** The process printed something, whatever it is. */
  onSignOfLife(): void;
  onFirstOutput(): void;
  onAnomaly(code: string, detail: string): void;
}

/** What was said, until the turn was over. */
export interface Conversed {
  verdict: Verdict | null;
  /** Why we ended it, if that came before the verdict. */
  stop: StopReason | null;
  exitAfterResult: ExitStatus | null;
  failure: Failure | null;
}

type Ended =
  { kind: "verdict"; verdict: Verdict } | { kind: "exit"; status: ExitStatus } | { kind: "killed" };

/** Sends a turn and listens until the CLI ends it, or we do. */
export async function converse(options: ConverseOptions): Promise<Conversed> {
  const { session, live } = options;
  const { promise: ended, resolve: end } = Promise.withResolvers<Ended>();
  const watchdogs = startWatchdogs(options.clock, options.limits, (reason) => live.stop(reason));
  options.hooks.use(recorderHooks(options, watchdogs, end));
  session.process.listen(listener(options, watchdogs, end));
  sendTurn(options, watchdogs);
  const readiness = watchReadiness(options, end);
  let over = false;
  const stopping = live.stopped.then(async (reason) => {
    // Once the turn is over the process may be carrying another one.
    if (!over) await stopNow(options, reason, ended, end);
  });
  const how = await ended;
  over = true;
  const stop = live.stopReason;
  watchdogs.stop();
  readiness?.stop();
  if (stop) await stopping;
  return conclude(options, how, stop);
}

function sendTurn({ session, prompt, recorder }: ConverseOptions, watchdogs: Watchdogs): void {
  session.process.beginAccount();
  watchdogs.turnSent();
  recorder.begin(session.dialogue, prompt);
  if (!hasOpenInput(session)) session.process.closeInput();
}

/**
 * A protocol that wants to be opened first may hang in that: then nothing was asked of the model yet, and
 * another form may do better, so the run needn't wait for the stall limit.
 */
function watchReadiness(
  { clock, session, limits }: ConverseOptions,
  end: (how: Ended) => void,
): Alarm | null {
  if (session.dialogue.prompted) return null;
  const waitMs = Math.min(readyMsMax, limits.firstOutputMs / 2);
  const message = `The CLI was not ready for its prompt in ${Math.round(waitMs / 1000)} seconds.`;
  return clock.after(waitMs, () => {
    if (session.dialogue.prompted) return;
    end({ kind: "verdict", verdict: { kind: "unready", code: "stalled", message } });
  });
}

async function stopNow(
  options: ConverseOptions,
  reason: StopReason,
  ended: Promise<Ended>,
  end: (how: Ended) => void,
): Promise<void> {
  const { killGraceMs } = options.limits;
  const interruptId = `stop-${options.live.claimed.runId}`;
  await stopTurn(options.session, reason, ended, {
    clock: options.clock,
    killGraceMs,
    atOnce: () => options.live.atOnce,
    interruptId,
  });
  end({ kind: "killed" });
}

function recorderHooks(
  options: ConverseOptions,
  watchdogs: Watchdogs,
  end: (how: Ended) => void,
): RecorderHooks {
  const { session, live } = options;
  return {
    firstOutput: options.onFirstOutput,
    toolsOpen: (count) => watchdogs.toolsOpen(count),
    versionTold: (cliVersion) => (session.cliVersion = cliVersion),
    helpersKept: (ageMsMin) => session.process.markBaseline(ageMsMin),
    // A closed pipe is no outcome of its own: how the process ends tells more.
    write: (input) => void session.process.write(input),
    turnEnded: (verdict) => end({ kind: "verdict", verdict }),
    retire: (reason) => (session.retiredBecause ??= reason),
    anomaly: options.onAnomaly,
    storeFailed: (message) => live.stop({ kind: "store_error", message }),
  };
}

function listener(
  options: ConverseOptions,
  watchdogs: Watchdogs,
  end: (how: Ended) => void,
): ProcessListener {
  const { recorder, live } = options;
  return {
    lines(lines) {
      options.onSignOfLife();
      watchdogs.signOfLife();
      const room = recorder.lines(lines);
      if (room) watchdogs.deafUntil(room);
      return room ?? undefined;
    },
    lineDropped: (bytes) => recorder.anomaly("line_too_long", `A line of ${bytes} bytes was dropped.`),
    garbled: () => recorder.anomaly("invalid_utf8", "The CLI printed bytes that are not UTF-8."),
    stderr(text) {
      options.onSignOfLife();
      watchdogs.signOfLife();
      recorder.stderr(text);
    },
    limitReached: (code) => live.stop({ kind: "limit", code }),
    exited: (status) => end({ kind: "exit", status }),
  };
}

async function conclude(options: ConverseOptions, how: Ended, stop: StopReason | null): Promise<Conversed> {
  const { session, recorder } = options;
  if (how.kind === "verdict") {
    const verdict = stop && session.dialect.goesOnWhenSignalled ? aborted : how.verdict;
    return { verdict, stop, exitAfterResult: await exitAfterResult(options), failure: null };
  }
  const { exitCode, signal } = session.process.exitStatus ?? { exitCode: null, signal: null };
  const { stderrTail } = session.process;
  const failure = session.dialect.explainExit({ exitCode, signal, stderrTail, printed: recorder.printed });
  return { verdict: null, stop, exitAfterResult: null, failure };
}

const aborted = { kind: "aborted" } as const;

/**
 * A warm process is expected to live on; how a one-turn process ends belongs to its run, for a moment. But
 * once it was told to end, its end is our doing: a cancel may cross the result on its way.
 */
async function exitAfterResult({ clock, session, live }: ConverseOptions): Promise<ExitStatus | null> {
  if (hasOpenInput(session)) {
    // What is in the pipe already, a second result say, still belongs to this run.
    await new Promise<void>((resolve) => setImmediate(resolve));
    return null;
  }
  await within(clock, session.process.exited, exitAfterResultMs);
  return live.stopReason ? null : session.process.exitStatus;
}
