import { join } from "node:path";
import { createAcpAdapter } from "../../../src/runner/adapters/acp-adapter.ts";
import { recordedScript, recordingsFolder } from "../../runner/adapters/recordings.ts";
import { dialectCase, type FakeCli } from "../dialect-case.ts";
import { type Line, splitAfter, turnsOf } from "../script.ts";

/** Any agent that speaks ACP, as its owner configures it; the lines are those of OpenCode. */
const adapter = createAcpAdapter({
  name: "an-agent",
  title: "An agent",
  command: "an-agent",
  args: ["--acp"],
  env: {},
  passEnv: [],
});

const cliVersion = "1.18.33";
const script = (name: string): Line[] => recordedScript(join(recordingsFolder("opencode", cliVersion), name));

/** The scrubber's name for the first session of a recording. */
const sessionId = "ses_00000001";

/** Up to where the session is open, and the turns after that; a refusal ends one, too. */
function opened(name: string, lastOfOpening = "available_commands_update") {
  const { before, after } = splitAfter(script(name), lastOfOpening);
  return { opening: before, turns: turnsOf(after, '"stopReason"') };
}

function refused(method: string, code: number, message: string): { lines: Line[] } {
  return {
    lines: [{ replyTo: method, line: JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code, message } }) }],
  };
}

/** The reply of acp_errors that holds these words. */
function failure(words: string): { lines: Line[] } {
  return { lines: script("acp_errors").filter((line) => JSON.stringify(line).includes(words)) };
}

function answerIn(input: string): "granted" | "refused" | null {
  const chosen = /"optionId":"(\w+)"/.exec(input)?.[1];
  if (chosen === undefined) return null;
  return chosen === "reject" ? "refused" : "granted";
}

function promptIn(input: string): string | null {
  const { method, params } = JSON.parse(input) as Request;
  return method === "session/prompt" ? (params?.prompt?.[0]?.text ?? null) : null;
}

interface Request {
  method?: string;
  params?: { prompt?: { text: string }[] };
}

/** It speaks the same protocol. */
const fakeAgent: FakeCli = {
  executable: join(import.meta.dir, "../../fixtures/bin/fake-gemini"),
  hello: { prompt: "hello", answer: "You said: hello" },
  recall: { prompt: "recall", answer: "Earlier you said: hello" },
  hold: { prompt: "hold" },
};

const cannot = {
  brokenStream:
    "ACP has no word for taking back what was said: an agent that asks the model again begins anew without a marker.",
  leftovers:
    "ACP's updates name their session and not their turn: what is told after a turn's end, when the next one has begun, can't be told from its answer.",
} as const;

function spoken() {
  const session = opened("warm-turns");
  const load = opened("warm-resume", '"configOptions"');
  return {
    sessionId,
    opening: session.opening,
    turn: { lines: session.turns[0] ?? [], answer: "You said: hello there" },
    second: { lines: session.turns[1] ?? [], answer: "Earlier you said: hello there" },
    thinking: {
      lines: session.turns[2] ?? [],
      answer: "You said: think again",
      thoughts: "Let me think about this.",
    },
    tool: {
      permissionMode: "full" as const,
      lines: opened("warm-tools").turns[0] ?? [],
      answer: "Tool said: done",
    },
    failedTool: { lines: opened("acp_permissions").turns[0] ?? [] },
    usage: { turn: { inputTokens: 2440, outputTokens: 6 }, second: { inputTokens: 2463, outputTokens: 8 } },
    auth_required: failure("invalid x-api-key"),
    rate_limited: failure("Rate limited"),
    // OpenCode tries for minutes before it tells this one.
    overloaded: refused("session/prompt", -32603, "Internal error: Overloaded"),
    cli_error: failure("Bad request"),
    session_lost: { opening: [], lines: script("acp_load_unknown") },
    interrupt: splitAfter(opened("acp_cancel").turns[0] ?? [], "agent_message_chunk"),
    permission: {
      questions: [
        {
          what: "a shell command",
          lines: opened("acp_permissions").turns[0] ?? [],
          granted: { read: false, edit: false, full: true },
        },
      ],
      answerIn,
    },
    resume: {
      opening: load.opening,
      lines: load.turns[0] ?? [],
      answer: "Earlier you said: remember me",
    },
    history: { replayed: "You said: remember me" },
    handshake: refused("initialize", -32603, "Internal error"),
    unknown: {
      line: JSON.stringify({
        jsonrpc: "2.0",
        method: "session/update",
        params: { sessionId, update: { sessionUpdate: "news" } },
      }),
    },
    promptIn,
    process: fakeAgent,
  };
}

export const acpWarm = dialectCase({ adapter, form: "warm", cliVersion, cannot, specimens: spoken });

/** The same dialect; the transport closes the input when the turn is over. */
export const acpOneTurn = dialectCase({ adapter, form: "oneTurn", cliVersion, cannot, specimens: spoken });
