import { pause, within } from "../../src/domain/clock.ts";
import type {
  CliProcess,
  ExitStatus,
  ProcessListener,
  ProcessSpec,
} from "../../src/runner/process/cli-process.ts";
import { createHearing } from "../../src/runner/process/hearing.ts";
import type { Random } from "./random.ts";
import type { Script, Step } from "./script.ts";
import type { ClockFace } from "./sim-time.ts";
import { abortedLine, interruptReply } from "./voice.ts";

/** How a process takes what is done to it; asked once, at its start. */
export interface Temper {
  /** Interrupts that it loses before it hears one; beyond all counting, it never does. */
  deafInterrupts: number;
  ignoresTerm: boolean;
  ignoresClosedInput: boolean;
  hasBrokenInput: boolean;
  /** How long it can't be killed, from the first try; 0 dies at once. */
  stuckMs: number;
  /** Its CLI ends before it reads anything. */
  diesAtStart: ExitStatus | null;
  /** Ends with its server, as with the full containments. */
  diesWithServer: boolean;
}

export interface SimProcessOptions {
  spec: ProcessSpec;
  pid: number;
  temper: Temper;
  random: Random;
  clock: ClockFace;
  /** A prompt has arrived: what the process will do with it. */
  scriptOf(prompt: string): Script;
  /** Its CLI has told this session's name. */
  sessionBegun(sessionId: string): void;
  /** Some of the answer has come, for the first time in this turn. */
  answering(): void;
  touched(): void;
}

export interface SimProcess {
  readonly cli: CliProcess;
  readonly spec: ProcessSpec;
  /** Any process of its tree lives. */
  readonly isAlive: boolean;
  readonly isInTurn: boolean;
  /** True when it would do something, were it asked. */
  readonly hasSteps: boolean;
  step(): void;
  /** Its server is gone: nobody hears it any more. */
  orphan(): void;
  /** What a later server, or the machine, does to it; resolves with the survivors. */
  kill(): Promise<number>;
  /** From now on it can be killed. */
  relent(): void;
}

const answerPattern = /"(text_delta|thinking_delta|tool_use)"|"subtype":"success","is_error":false/;
/** Output that is on its way when the CLI ends is waited for this long. */
const drainMsMax = 500;
const never = new Promise<never>(() => {});
const killed: ExitStatus = { exitCode: null, signal: "SIGKILL" };

export function createSimProcess(options: SimProcessOptions): SimProcess {
  const { spec, pid, temper, random, clock, touched } = options;
  const hearing = createHearing();
  const { promise: exited, resolve: tellExited } = Promise.withResolvers<ExitStatus>();
  const identity = { pid, pidStart: `${pid}0`, bootId: "simulated", marker: spec.processId };
  let steps: Step[] = [];
  let exitStatus: ExitStatus | null = null;
  let isInTurn = false;
  let isAnswering = false;
  let wasAsked = false;
  let isInputOpen = true;
  let isOrphan = false;
  let isKilled = false;
  let stuckUntilMs: number | null = null;
  let interrupts = 0;
  let stderrTail = "";
  let helpers: number[] = [];
  let baseline: number[] = [];
  let killing: Promise<number> | null = null;

  const soon = (mostMs: number, act: () => void) => void clock.after(random.between(0, mostMs), act);
  /** While the server has not taken what was said, nothing more comes. */
  let held: Promise<void> | null = null;
  const tell = (say: (listener: ProcessListener) => void | Promise<void>): void => {
    touched();
    const answer = isOrphan ? undefined : hearing.tell(say);
    if (!answer) return;
    held = answer.finally(() => {
      touched();
      held = null;
    });
  };

  function exit(status: ExitStatus): void {
    if (exitStatus !== null) return;
    exitStatus = status;
    isInTurn = false;
    steps = [];
    if (!isOrphan) void cli.killTree();
    soon(20, () => void bow(status));
  }
  async function bow(status: ExitStatus): Promise<void> {
    if (held) await within(clock, held, drainMsMax);
    tell((listener) => listener.exited(status));
    if (!isOrphan) tellExited(status);
  }
  function isStuck(): boolean {
    if (temper.stuckMs === 0) return false;
    stuckUntilMs ??= clock.monotonicMs() + temper.stuckMs;
    return clock.monotonicMs() < stuckUntilMs;
  }
  function alive(): number {
    return (exitStatus === null ? 1 : 0) + helpers.length;
  }
  async function kill(): Promise<number> {
    isKilled = true;
    await pause(clock, random.pick([0, 0, 3, 9]));
    touched();
    if (alive() > 0 && isStuck()) return alive();
    helpers = [];
    exit(killed);
    return 0;
  }
  /** What a server that is gone asked for comes to nothing: it doesn't hear the answer. */
  function unlessOrphan<T>(answer: Promise<T>): Promise<T> {
    return answer.then((value) => (isOrphan ? never : value));
  }
  function begin(prompt: string): void {
    wasAsked = true;
    isInTurn = true;
    isAnswering = false;
    interrupts = 0;
    steps = options.scriptOf(prompt).steps;
  }
  function hear(line: string): void {
    const value = JSON.parse(line) as {
      type: string;
      message?: { content: string };
      request_id?: string;
      request?: { subtype: string };
    };
    if (value.type === "user") begin(value.message!.content);
    if (value.request?.subtype === "interrupt") interrupted(value.request_id!);
  }
  function interrupted(requestId: string | null): void {
    interrupts += 1;
    if (interrupts <= temper.deafInterrupts || !isInTurn) return;
    soon(60, () => {
      if (!isInTurn || isKilled || exitStatus !== null) return;
      const reply = requestId === null ? [] : [interruptReply(requestId)];
      steps = [{ do: "end", lines: [...reply, abortedLine()] }];
      cliStep();
    });
  }
  function noteAnswer(lines: readonly string[]): void {
    if (!isInTurn || isAnswering || !lines.some((line) => answerPattern.test(line))) return;
    isAnswering = true;
    options.answering();
  }
  function take(step: Step): void {
    switch (step.do) {
      case "say":
        noteAnswer(step.lines);
        return tell((listener) => listener.lines(step.lines));
      case "init":
        options.sessionBegun(step.sessionId);
        return tell((listener) => listener.lines(step.lines));
      case "complain":
        stderrTail += step.text;
        return tell((listener) => listener.stderr(step.text));
      case "end":
        noteAnswer(step.lines);
        isInTurn = false;
        return tell((listener) => listener.lines(step.lines));
      case "help":
        helpers.push(pid * 100 + helpers.length + 1);
        return;
      case "limit":
        tell((listener) => listener.limitReached(step.code));
        return void cli.killTree();
      case "exit":
        return exit({ exitCode: step.exitCode, signal: step.signal });
      case "hang":
        return;
    }
  }
  function cliStep(): void {
    const step = steps[0];
    if (!step || held || exitStatus !== null || isKilled || step.do === "hang") return;
    steps.shift();
    take(step);
    if (steps.length === 0 && !isInTurn && !isInputOpen) endSoon();
  }
  function endSoon(): void {
    if (!temper.ignoresClosedInput) soon(700, () => exit({ exitCode: 0, signal: null }));
  }
  const cli: CliProcess = {
    id: spec.processId,
    cli: spec.cli,
    identity,
    containment: "bwrap",
    get exitStatus() {
      return exitStatus;
    },
    exited,
    get stderrTail() {
      return stderrTail;
    },
    listen: hearing.listen,
    async write(text) {
      touched();
      if (isOrphan) return never;
      if (exitStatus !== null || !isInputOpen || temper.hasBrokenInput) return false;
      for (const line of text.split("\n")) if (line !== "") hear(line);
      return true;
    },
    closeInput() {
      touched();
      if (!isInputOpen) return;
      isInputOpen = false;
      if (!isInTurn) endSoon();
    },
    signal(signal) {
      touched();
      if (exitStatus !== null) return false;
      if (signal === "SIGINT") interrupted(null);
      else if (!temper.ignoresTerm) soon(300, () => exit({ exitCode: 143, signal: null }));
      return true;
    },
    beginAccount() {
      stderrTail = "";
    },
    account: () => ({ peakRssBytes: 1_048_576, cpuMs: 1, leftovers: leftovers() }),
    markBaseline: () => void (baseline = [...helpers]),
    leftovers,
    killLeftovers: () => unlessOrphan(killLeftovers()),
    killTree: () => unlessOrphan((killing ??= kill().finally(() => (killing = null)))),
  };

  function leftovers(): number[] {
    return helpers.filter((helper) => !baseline.includes(helper));
  }
  async function killLeftovers(): Promise<number> {
    await pause(clock, random.pick([0, 2]));
    touched();
    if (leftovers().length > 0 && isStuck()) return leftovers().length;
    helpers = baseline;
    return 0;
  }
  if (temper.diesAtStart) soon(40, () => exit(temper.diesAtStart!));
  return {
    cli,
    spec,
    get isAlive() {
      return alive() > 0;
    },
    get isInTurn() {
      return isInTurn;
    },
    get hasSteps() {
      return exitStatus === null && !isKilled && !held && steps.length > 0 && steps[0]!.do !== "hang";
    },
    step: cliStep,
    orphan() {
      isOrphan = true;
      // One that was asked nothing yet ends with its input: nobody may know of it, since custody comes after its start.
      if (!wasAsked || (temper.diesWithServer && !isStuck())) {
        helpers = [];
        exit(killed);
      }
    },
    kill,
    relent() {
      temper.stuckMs = 0;
      stuckUntilMs = null;
    },
  };
}
