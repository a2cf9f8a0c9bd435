import { droidAdapter } from "../../../src/runner/adapters/droid.ts";
import { dialectCase, processEndsWithTurn, type Said } from "../dialect-case.ts";
import { type Line, splitAfter, turnsOf } from "../script.ts";
import { answerBy } from "./answer-by.ts";
import { fakeCli } from "./fake-cli.ts";
import { recordedBy } from "./recorded.ts";

const cliVersion = "0.225.2";
const recorded = recordedBy("droid", cliVersion);
const { script } = recorded;

/** The scrubber's name for the first session of a recording. */
const sessionId = "00000001-0000-4000-8000-000000000000";

/** The whole of a recording, with the replies to the handshake in it. */
const failure = (name: string): Said => ({ ...recorded.failure(name), opening: [] });

const fakeDroid = fakeCli("fake-droid");

const always = {
  version: "Droid doesn't name its version in what it says; Headway reads it beside the executable.",
} as const;

const endsInSilence =
  "Droid ends without a word and with exit code 1, as it also does for other reasons: only who knows that a " +
  "session was asked for can tell, and begins a fresh one.";

export const droidOneTurn = dialectCase({
  adapter: droidAdapter,
  form: "oneTurn",
  cliVersion,
  cannot: {
    ...always,
    ...processEndsWithTurn,
    brokenStream:
      "In this form Droid tells each block of the answer when it is whole: nothing is said of a stream that broke off.",
    session_lost: endsInSilence,
    processLost: endsInSilence,
    interrupt: "Its input is closed with the prompt: SIGINT ends the process, and Droid gives no result.",
    permission:
      "In this form Droid asks for nothing: what its autonomy level doesn't allow it denies by itself.",
    history: "Droid replays nothing of a session that it forks.",
    handshake: "There is none: the prompt is written at once.",
  },
  specimens: () => ({
    sessionId,
    turn: { lines: script("one-turn"), answer: "You said: hello there" },
    thinking: {
      lines: script("one-turn-think"),
      answer: "You said: think hello",
      thoughts: "Let me think about this.",
    },
    tool: { lines: script("one-turn-tool"), answer: "Tool said: done\n\n\n[Process exited with code 0]" },
    failedTool: { lines: script("sigint-in-tool") },
    usage: { turn: { outputTokens: 6, cacheReadTokens: 0 } },
    auth_required: failure("no-sign-in"),
    rate_limited: failure("error-429"),
    overloaded: failure("error-529"),
    cli_error: failure("one-turn-error"),
    resume: { lines: script("one-turn-resume"), answer: "Earlier you said: remember me" },
    unknown: { line: JSON.stringify({ type: "news", session_id: sessionId }) },
    promptIn: (input: string) => input,
    process: fakeDroid,
  }),
});

/** Up to where the prompt is written, and the turns after that. */
function opened(name: string, lastReply: string) {
  const all = script(name);
  const at = all.findIndex((line) => typeof line !== "string" && line.replyTo === lastReply) + 1;
  return { opening: all.slice(0, at), turns: turnsOf(all.slice(at), '"agent_turn_completed"') };
}

const begun = (name: string) => opened(name, "droid.initialize_session");

/** A turn as if it were the first of its process: its prompt comes back under the id that we gave to that. */
function asFirst(lines: readonly Line[] = []): Line[] {
  return lines.map((line) => (typeof line === "string" ? line.replace(/"turn-\d+"/, '"turn-1"') : line));
}

/** The reply to a session in a folder that isn't there. */
function refusedHandshake(): Line[] {
  const { lines } = recorded.recording("jsonrpc-refused");
  const line = lines.find((one) => one.includes("Working directory"));
  return [{ replyTo: "droid.initialize_session", line: line ?? "" }];
}

const answerIn = answerBy(/"selectedOption":"(\w+)"/, (option) => option === "proceed_once");

interface Request {
  method?: string;
  params?: { text?: string };
}

function promptIn(input: string): string | null {
  const { method, params } = JSON.parse(input) as Request;
  return method === "droid.add_user_message" ? (params?.text ?? null) : null;
}

const news = {
  jsonrpc: "2.0",
  type: "notification",
  method: "droid.session_notification",
  params: { sessionId, notification: { type: "news" } },
};

function spoken() {
  const session = begun("warm-turns");
  const tools = begun("warm-tools");
  const resumed = opened("warm-resume", "droid.update_session_settings");
  return {
    sessionId,
    opening: session.opening,
    turn: { lines: session.turns[0] ?? [], answer: "You said: hello there" },
    second: { lines: session.turns[1] ?? [], answer: "Earlier you said: hello there" },
    thinking: {
      lines: asFirst(session.turns[2]),
      answer: "You said: think again",
      thoughts: "Let me think about this.",
    },
    tool: {
      opening: tools.opening,
      lines: tools.turns[0] ?? [],
      answer: "Tool said: done\n\n\n[Process exited with code 0]",
    },
    failedTool: { opening: tools.opening, lines: asFirst(tools.turns[1]) },
    resume: {
      opening: resumed.opening,
      lines: resumed.turns[0] ?? [],
      answer: "Earlier you said: remember me",
    },
    history: { replayed: "You said: remember me" },
  };
}

/** In mid-stream: what came before the interrupt, and what after. */
function interrupted() {
  return splitAfter(begun("warm-interrupt").turns[0] ?? [], '"assistant_text_delta"');
}

/** The recorder stopped it when the answer had begun for the second time; who asked for that doesn't matter here. */
function brokenOff(): Line[] {
  const [turn = []] = begun("warm-broken-stream").turns;
  return turn.filter((line) => typeof line === "string" || line.replyTo !== "droid.interrupt_session");
}

const onlyInFull = { read: false, edit: false, full: true };

export const droidWarm = dialectCase({
  adapter: droidAdapter,
  form: "warm",
  cliVersion,
  cannot: always,
  specimens: () => ({
    ...spoken(),
    usage: { turn: { inputTokens: 2643, outputTokens: 6 }, second: { outputTokens: 8 } },
    brokenStream: { lines: brokenOff(), answer: "You" },
    auth_required: failure("warm-no-sign-in"),
    rate_limited: failure("warm-error-429"),
    overloaded: failure("warm-error-529"),
    cli_error: { lines: begun("warm-error").turns[0] ?? [] },
    session_lost: failure("warm-lost"),
    interrupt: interrupted(),
    permission: {
      questions: [
        { what: "a command", lines: begun("warm-tool-refused").turns[0] ?? [], granted: onlyInFull },
        { what: "a risky command", lines: begun("warm-denied").turns[0] ?? [], granted: onlyInFull },
      ],
      answerIn,
    },
    handshake: { lines: refusedHandshake() },
    unknown: { line: JSON.stringify(news) },
    promptIn,
    process: fakeDroid,
  }),
});
