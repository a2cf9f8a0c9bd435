import { createAcpAdapter } from "../../../src/runner/adapters/acp-adapter.ts";
import { dialectCase } from "../dialect-case.ts";
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
const { script } = recordedBy("opencode", cliVersion);

/** The scrubber's name for the first session of a recording. */
const sessionId = "ses_00000001";

const opened = (name: string, lastOfOpening?: string) => acpSession(script(name), lastOfOpening);

/** The reply of acp_errors that holds these words. */
function failure(words: string): { lines: Line[] } {
  return { lines: script("acp_errors").filter((line) => JSON.stringify(line).includes(words)) };
}

const cannot = {
  brokenStream:
    "ACP has no word for taking back what was said: an agent that asks the model again begins anew without a marker.",
  leftovers: acpLeftovers,
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
    overloaded: { lines: [acpRefusal("session/prompt", -32603, "Internal error: Overloaded")] },
    cli_error: failure("Bad request"),
    session_lost: { opening: [], lines: script("acp_load_unknown") },
    interrupt: acpInterrupt(script("acp_cancel")),
    permission: acpPermission(script("acp_permissions"), (optionId) => optionId !== "reject"),
    resume: {
      opening: load.opening,
      lines: load.turns[0] ?? [],
      answer: "Earlier you said: remember me",
    },
    history: { replayed: "You said: remember me" },
    handshake: { lines: [acpRefusal("initialize", -32603, "Internal error")] },
    unknown: { line: acpNews(sessionId) },
    promptIn: acpPromptIn,
    // It speaks the same protocol.
    process: fakeCli("fake-gemini"),
  };
}

export const acpWarm = dialectCase({ adapter, form: "warm", cliVersion, cannot, specimens: spoken });

/** The same dialect; the transport closes the input when the turn is over. */
export const acpOneTurn = dialectCase({ adapter, form: "oneTurn", cliVersion, cannot, specimens: spoken });
