import { join } from "node:path";
import { claudeAdapter } from "../../../src/runner/adapters/claude.ts";
import { readRecording, recordedScript, recordingsFolder } from "../../runner/adapters/recordings.ts";
import { dialectCase, type FakeCli, processEndsWithTurn, type Said } from "../dialect-case.ts";
import { type Line, splitAfter, turnsOf } from "../script.ts";

const cliVersion = "2.1.330";
const folderOf = (name: string) => join(recordingsFolder("claude", cliVersion), name);

const turnOf = (name: string, number: number): Line[] =>
  turnsOf(recordedScript(folderOf(name)), '"type":"result"')[number] ?? [];

/** A recording that ended otherwise than well. */
function failure(name: string): Said {
  const { stderr, exit } = readRecording(folderOf(name));
  return { lines: recordedScript(folderOf(name)), stderr, exit };
}

const sessionId = "ab1250cb-e274-41f0-a368-eba79b9dd425";
const resumedId = "11111111-1111-4111-8111-111111111111";

/** What both forms share: they differ only in whether the input is closed after the prompt. */
function spoken() {
  return {
    sessionId,
    turn: { lines: turnOf("bidi_session", 0), answer: "You said: first alpha" },
    thinking: {
      lines: turnOf("one-turn-think", 0),
      answer: "You said: think hello",
      thoughts: "Let me think about this.",
    },
    tool: { lines: turnOf("tool_use", 0), answer: "Tool said: done" },
    brokenStream: { lines: brokenOff(turnOf("bidi_session", 0)), answer: "You said: first alpha" },
    failedTool: { lines: turnOf("tool_use_denied_cmd", 0) },
    auth_required: failure("no_key"),
    rate_limited: failure("error_429_retries1"),
    overloaded: failure("error_529"),
    cli_error: failure("error_400"),
    session_lost: failure("resume_unknown"),
    resume: {
      sessionId: resumedId,
      lines: turnOf("resume_2_second_turn", 0),
      answer: "Earlier you said: first message alpha",
    },
    permission: {
      questions: [
        {
          what: "a shell command",
          lines: turnOf("bidi_permissions", 2),
          granted: { read: false, edit: false, full: false },
        },
      ],
      answerIn,
    },
    unknown: { line: JSON.stringify({ type: "news", session_id: sessionId }) },
    promptIn,
    process: fakeClaude,
  };
}

/** Never recorded, so it is made of a whole one: after some text the answer begins again, as another message. */
function brokenOff(turn: readonly Line[]): Line[] {
  const { before } = splitAfter(turn, '"text_delta"');
  const begun = turn.findIndex((line) => JSON.stringify(line).includes("message_start"));
  const broken = before.map((line) =>
    typeof line === "string" ? line.replace('"id":"msg_', '"id":"msg_0') : line,
  );
  return [...broken, ...turn.slice(begun)];
}

function answerIn(input: string): "granted" | "refused" | null {
  const behavior = /"behavior":"(allow|deny)"/.exec(input)?.[1];
  if (behavior === undefined) return null;
  return behavior === "allow" ? "granted" : "refused";
}

function promptIn(input: string): string | null {
  const { type, message } = JSON.parse(input) as { type: string; message?: { content: string } };
  return type === "user" ? (message?.content ?? null) : null;
}

const fakeClaude: FakeCli = {
  executable: join(import.meta.dir, "../../fixtures/bin/fake-claude"),
  hello: { prompt: "hello", answer: "You said: hello" },
  recall: { prompt: "recall", answer: "Earlier you said: hello" },
  hold: { prompt: "slow=20 chatty=2000" },
};

const always = {
  history: "Claude Code replays nothing of a session that it resumes.",
  handshake: "There is none: the prompt is written at once, and no reply is waited for.",
} as const;

export const claudeWarm = dialectCase({
  adapter: claudeAdapter,
  form: "warm",
  cliVersion,
  cannot: always,
  specimens: () => ({
    ...spoken(),
    usage: { turn: { inputTokens: 2536, outputTokens: 6 }, second: { outputTokens: 8 } },
    second: { lines: turnOf("bidi_session", 1), answer: "Earlier you said: first alpha" },
    interrupt: splitAfter(turnOf("bidi_session", 2), '"text_delta"'),
  }),
});

export const claudeOneTurn = dialectCase({
  adapter: claudeAdapter,
  form: "oneTurn",
  cliVersion,
  cannot: {
    ...always,
    ...processEndsWithTurn,
    interrupt:
      "Its input is closed with the prompt: SIGINT ends the turn, and Claude Code gives a result to that.",
  },
  specimens: () => ({ ...spoken(), usage: { turn: { inputTokens: 2536, outputTokens: 6 } } }),
});
