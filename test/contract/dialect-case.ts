import type { PermissionMode } from "../../src/domain/agent.ts";
import type { Usage } from "../../src/domain/run.ts";
import type { Adapter, Dialect } from "../../src/runner/adapters/adapter.ts";
import type { Excusable } from "./promises.ts";
import type { Line } from "./script.ts";

/*
 * How to bring a CLI into the contract:
 *
 * 1. In `test/contract/specimens/<cli>.ts`, export a `dialectCase({…})` for each of its two dialects: what
 *    the CLI prints in the situations below, best as recorded, else made by hand. The compiler names what is
 *    missing. What the dialect can't do goes into `cannot`, as a sentence that says why; then its specimen
 *    is left out. `recordedBy(cli, version)` gives recordings' lines with JSON-RPC replies made to fit,
 *    `turnsOf` and `splitAfter` cut them.
 * 2. In `test/contract/<cli>-contract.test.ts`, call `dialectContract(theCase)` for each, which makes all tests.
 * 3. Add the cases to the list in `test/contract/dialect-cases.ts`, and run `npm run docs`:
 *    docs/dialects.md is made of them.
 *
 * How a script is played: the dialogue is opened for `sessionId`, `begin` is called, the CLI says `opening`
 * (the replies to a handshake, if there is one), and then the specimen's lines. In a second turn there is no
 * opening. A specimen with an opening or a session of its own has that one instead.
 */

/** What a CLI said in one turn. */
export interface Said {
  lines: readonly Line[];
  /** Instead of the case's. */
  opening?: readonly Line[];
  sessionId?: string;
  /** Of the agent; "edit" where nothing is said. */
  permissionMode?: PermissionMode;
  /** What it wrote to stderr, and how it ended, where it ended without a terminal event. */
  stderr?: string;
  exit?: { exitCode: number | null; signal: string | null };
}

export interface Answered extends Said {
  answer: string;
}

export interface Specimens {
  /** The session that the lines name. */
  sessionId: string;
  /** What the CLI replies to the handshake, up to where the prompt is written. */
  opening?: readonly Line[];
  turn: Answered;
  /** A turn with thoughts, and all of them. */
  thinking: Answered & { thoughts: string };
  /** A turn with one tool call; `answer` is the text after it. */
  tool: Answered;
  /** A turn in which a stream of the answer broke off after some text, and the CLI asked the model again. */
  brokenStream: Answered;
  failedTool: Said;
  /** What is told of `turn`, and where a process carries two, of `second`. */
  usage: { turn: Partial<Usage>; second?: Partial<Usage> };
  auth_required: Said;
  rate_limited: Said;
  overloaded: Said;
  cli_error: Said;
  /** Said when the session was to be resumed. */
  session_lost: Said;
  /** What was said until it was interrupted, and then. */
  interrupt: { before: readonly Line[]; after: readonly Line[] };
  /** Turns in which the CLI asks once, each for something else. */
  permission: {
    questions: readonly { what: string; lines: readonly Line[]; granted: Record<PermissionMode, boolean> }[];
    /** Whether this input is an answer, and which. */
    answerIn(input: string): "granted" | "refused" | null;
  };
  /** The turn after `turn`, in the same process. */
  second: Answered;
  /** The first turn of a process that resumes; its opening may hold the replies and the replay. */
  resume: Answered;
  /** The replay within `resume`, some of which must not be in the answer. */
  history: { replayed: string };
  /** What the CLI says to a handshake that it refuses; `lines` and no opening. */
  handshake: Said;
  /** A line as of another version, of a type that nobody knows. */
  unknown: { line: Line };
  /** The prompt that this input hands over; null when it hands over none. */
  promptIn(input: string): string | null;
  /** An executable of ours that speaks the dialect; null where no promise about processes is kept. */
  process: FakeCli | null;
}

/** Prompts that a fake CLI is known to react to. */
export interface FakeCli {
  executable: string;
  env?: Record<string, string>;
  hello: { prompt: string; answer: string };
  /** Answered with what it was asked before: `answer` must be a part of that after `hello`. */
  recall: { prompt: string; answer: string };
  /** A turn that goes on until it is stopped, after its first text. */
  hold: { prompt: string };
}

/** A dialect with what its CLI says; `Unable` are the promises that it can't keep. */
export interface DialectCase<Unable extends Excusable = Excusable> {
  adapter: Adapter;
  form: "warm" | "oneTurn";
  /** The version of the CLI whose lines these are. */
  cliVersion: string;
  cannot: Readonly<Record<Unable, string>>;
  specimens(): Omit<Specimens, Unable> | Promise<Omit<Specimens, Unable>>;
}

/** A case as the suite and the documents see it: what it can't do isn't among its specimens. */
export interface AnyDialectCase {
  adapter: Adapter;
  form: "warm" | "oneTurn";
  cliVersion: string;
  cannot: Readonly<Partial<Record<Excusable, string>>>;
  specimens(): GivenSpecimens | Promise<GivenSpecimens>;
}

export type GivenSpecimens = Omit<Specimens, Excusable> & Partial<Specimens>;

/** Lets the compiler see to it that each promise has a specimen or an excuse. */
export function dialectCase<Unable extends Excusable>(given: DialectCase<Unable>): AnyDialectCase {
  return given as unknown as AnyDialectCase;
}

export function dialectOfCase({ adapter, form }: AnyDialectCase): Dialect {
  return adapter.dialects[form];
}

export function nameOfCase({ adapter, form }: AnyDialectCase): string {
  return `${adapter.cli}, ${adapter.dialects[form].name}, ${form === "warm" ? "warm" : "one turn"}`;
}

/** For dialects whose process ends with its turn. */
export const processEndsWithTurn = {
  second: "A process gets one turn; the next one's process resumes the session.",
  processSecond: "A process gets one turn; the next one's process resumes the session.",
  leftovers: "A process gets one turn, so nothing can be left for a second one.",
} as const;
