import { claudeAdapter } from "../../../src/runner/adapters/claude.ts";
import { dialectCase, processEndsWithTurn } from "../dialect-case.ts";
import { type Line, splitAfter, turnsOf } from "../script.ts";
import { answerBy } from "./answer-by.ts";
import { fakeCli } from "./fake-cli.ts";
import { recordedBy } from "./recorded.ts";

const cliVersion = "2.1.330";
const { script, failure } = recordedBy("claude", cliVersion);

const turnOf = (name: string, number: number): Line[] =>
  turnsOf(script(name), '"type":"result"')[number] ?? [];

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

const answerIn = answerBy(/"behavior":"(allow|deny)"/, (behavior) => behavior === "allow");

function promptIn(input: string): string | null {
  const { type, message } = JSON.parse(input) as { type: string; message?: { content: string } };
  return type === "user" ? (message?.content ?? null) : null;
}

const fakeClaude = fakeCli("fake-claude", "slow=20 chatty=2000");

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
