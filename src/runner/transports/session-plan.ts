import type { ClaimedRun, ConversationLog } from "../../domain/ports.ts";
import type { AgentSettings } from "../../domain/agent.ts";
import type { Adapter } from "../adapters/adapter.ts";

/** Most of the conversation that a fresh session is told, in bytes. */
export const retoldBytesMax = 32_768;

/** Which CLI session a turn is carried in. */
export interface SessionPlan {
  cliSessionId: string;
  resume: boolean;
  /** What a fresh session is told before the prompt; "" when there is nothing to tell. */
  preface: string;
}

/**
 * What a session can't change once it has begun. Claude keeps the system prompt of a session's first
 * turn (facts of 2.1.330), and to others it is told in their first prompt; Gemini finds a session only in
 * the folder where it began. Model and permission mode change with a new process that resumes.
 */
export function sessionFingerprint(agent: AgentSettings, { sessionsKeepFolder }: SessionTraits): string {
  return fingerprintOf([agent.cli, agent.systemPrompt, ...(sessionsKeepFolder ? [agent.cwd] : [])]);
}

export type SessionTraits = Pick<Adapter, "sessionsKeepFolder">;

/** Everything that a process was started with. */
export function processFingerprint(agent: AgentSettings): string {
  return fingerprintOf([
    agent.cli,
    agent.cwd,
    agent.model,
    agent.permissionMode,
    agent.filePolicy,
    agent.mcpConfigPath,
    agent.systemPrompt,
    agent.memoryLimitMb,
  ]);
}

function fingerprintOf(parts: readonly (string | number | null)[]): string {
  return Bun.hash(JSON.stringify(parts)).toString(36);
}

/**
 * Why the conversation can't go on in the session that it holds: it was begun under settings that it can't
 * change ("changed"), or the conversation has a past and no session that knows of it ("missing"). Null when it can.
 */
export function whyFreshSession(run: ClaimedRun, traits: SessionTraits): "changed" | "missing" | null {
  if (!run.sessionBegun) return run.answeredBefore ? "missing" : null;
  return run.sessionFingerprint === sessionFingerprint(run.agent, traits) ? null : "changed";
}

/** The plan for a session that goes on, or begins. */
export function planSession(run: ClaimedRun, newSessionId: () => string): SessionPlan {
  return { cliSessionId: run.cliSessionId ?? newSessionId(), resume: run.sessionBegun, preface: "" };
}

/** A fresh CLI session for a conversation that has a past, which it is told. */
export function planFreshSession(
  run: ClaimedRun,
  conversations: ConversationLog,
  newSessionId: string,
): SessionPlan {
  const turns = conversations.recentTurns(run.conversationId, retoldBytesMax);
  return { cliSessionId: newSessionId, resume: false, preface: retell(turns.slice(0, -1)) };
}

/** The conversation as text; the newest turn, which is the prompt itself, isn't among `turns`. */
export function retell(turns: readonly { role: string; content: string }[]): string {
  if (turns.length === 0) return "";
  const lines = turns.map((turn) => `${turn.role === "assistant" ? "You" : "User"}: ${turn.content}`);
  return [
    "This conversation continues from an earlier session. What was said so far:",
    ...lines,
    "End of what was said so far. The next message is:",
    "",
  ].join("\n\n");
}
