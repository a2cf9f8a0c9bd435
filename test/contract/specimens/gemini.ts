import { geminiAdapter } from "../../../src/runner/adapters/gemini.ts";
import { dialectCase, processEndsWithTurn, type Said } from "../dialect-case.ts";
import type { Line } from "../script.ts";
import {
  acpInterrupt,
  acpLeftovers,
  acpNews,
  acpPermission,
  acpPromptIn,
  acpRefusal,
  acpSession,
} from "./any-acp-agent.ts";
import { fakeCli } from "./fake-cli.ts";
import { recordedBy } from "./recorded.ts";

const cliVersion = "0.61.0";
const { script, failure } = recordedBy("gemini", cliVersion);

/** The scrubber's name for the first session of a recording. */
const sessionId = "00000001-0000-4000-8000-000000000000";

const fakeGemini = fakeCli("fake-gemini");

const brokenStream =
  "Gemini CLI asks the model again without a marker: what it said until then can't be told from what follows.";

export const geminiOneTurn = dialectCase({
  adapter: geminiAdapter,
  form: "oneTurn",
  cliVersion,
  cannot: {
    ...processEndsWithTurn,
    brokenStream,
    version: "Gemini CLI doesn't name its version in this form; Headway reads it beside the executable.",
    thinking: "Gemini CLI leaves the model's thoughts out of this form.",
    interrupt:
      "Its input is closed with the prompt: SIGINT ends the process, and Gemini CLI gives no result.",
    permission:
      "In this form Gemini CLI asks for nothing: what its mode doesn't allow isn't offered to the model.",
    history: "Gemini CLI replays nothing of a session that it resumes in this form.",
    handshake: "There is none: the prompt is written at once.",
  },
  specimens: () => ({
    sessionId,
    turn: { lines: script("simple"), answer: "You said: hello there" },
    tool: {
      lines: script("tool_use_write"),
      answer:
        "Tool said: Successfully created and wrote to new file: /home/dev/project/made.txt. " +
        "Here is the updated code:\nwritten by the fake model",
    },
    failedTool: { lines: script("tool_use_failed") },
    usage: { turn: { outputTokens: 6, cacheWriteTokens: 0 } },
    auth_required: failure("auth_gateway"),
    rate_limited: failure("error_429_quota"),
    overloaded: failure("error_503"),
    cli_error: failure("error_400"),
    session_lost: failure("resume_unknown"),
    resume: {
      lines: script("resume_2_second_turn"),
      answer: "Earlier you said: first message alpha",
    },
    unknown: { line: JSON.stringify({ type: "news", session_id: sessionId }) },
    promptIn: (input: string) => input,
    process: fakeGemini,
  }),
});

const opened = (name: string, lastOfOpening?: string) => acpSession(script(name), lastOfOpening);

/** The API's limits and troubles take minutes to be told (recordings error_429, error_503): these are made by hand. */
function refusedByApi(code: number, message: string): Said {
  return { lines: [acpRefusal("session/prompt", code, JSON.stringify({ error: { code, message } }))] };
}

const fileWritten =
  "Tool said: Successfully created and wrote to new file: /home/dev/project/fake-written.txt. " +
  "Here is the updated code:\nwritten by the fake model";

/** A tool that failed was never recorded in ACP: Gemini calls a command that ends with 1 completed. */
function withFailure(lines: readonly Line[]): Line[] {
  return lines.map((line) => (typeof line === "string" ? line.replace('"completed"', '"failed"') : line));
}

function spoken() {
  const session = opened("acp_session");
  const tools = opened("acp_tools");
  const load = opened("acp_load", "Method not found");
  const tool = tools.turns[3] ?? [];
  return {
    sessionId,
    opening: session.opening,
    turn: { lines: session.turns[0] ?? [], answer: "You said: first alpha" },
    second: { lines: session.turns[1] ?? [], answer: "Earlier you said: first alpha" },
    thinking: {
      // The refusal of the turn before comes first in it.
      lines: session.turns[5]?.slice(1) ?? [],
      answer: "You said: think hello",
      thoughts: "**Thinking**\nLet me think about this: think hello",
    },
    tool: { opening: tools.opening, lines: tool, answer: fileWritten },
    failedTool: { opening: tools.opening, lines: withFailure(tool) },
    resume: {
      opening: load.opening,
      lines: load.turns[0] ?? [],
      answer: "Earlier you said: hello there | use tool 'echo one; echo two'",
    },
    history: { replayed: "I will run a command." },
  };
}

export const geminiWarm = dialectCase({
  adapter: geminiAdapter,
  form: "warm",
  cliVersion,
  cannot: {
    brokenStream,
    leftovers: acpLeftovers,
  },
  specimens: () => ({
    ...spoken(),
    usage: { turn: { inputTokens: 146, outputTokens: 6 }, second: { inputTokens: 172 } },
    auth_required: { opening: [], lines: script("acp_no_key") },
    rate_limited: refusedByApi(429, "You have exhausted your daily quota on this model."),
    overloaded: refusedByApi(503, "The model is overloaded. Please try again later."),
    cli_error: {
      lines: script("acp_errors").filter((line) => JSON.stringify(line).includes("model not found")),
    },
    session_lost: { opening: [], lines: script("acp_load_unknown") },
    interrupt: acpInterrupt(script("acp_cancel")),
    permission: acpPermission(script("acp_permissions"), (optionId) => optionId === "proceed_once"),
    handshake: { lines: [acpRefusal("initialize", -32603, "Internal error")] },
    unknown: { line: acpNews(sessionId) },
    promptIn: acpPromptIn,
    process: fakeGemini,
  }),
});
