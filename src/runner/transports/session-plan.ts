import type { ClaimedRun, ConversationLog } from "../../domain/ports.ts";
import type { AgentSettings } from "../../domain/agent.ts";

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
 * turn (facts of 2.1.330); folder, model and permission mode change with a new process that resumes.
 */
export function sessionFingerprint(agent: AgentSettings): string {
  return fingerprintOf([agent.cli, agent.systemPrompt]);
}

/** Everything that a process was started with. */
export function processFingerprint(agent: AgentSettings): string {
  return fingerprintOf([
    agent.cli,
    agent.cwd,
    agent.model,
    agent.permissionMode,
    agent.mcpConfigPath,
    agent.systemPrompt,
    agent.memoryLimitMb,
  ]);
}

function fingerprintOf(parts: readonly (string | number | null)[]): string {
  return Bun.hash(JSON.stringify(parts)).toString(36);
}

/** True when the conversation's session was begun under a system prompt that has changed since. */
export function needsFreshSession(run: ClaimedRun): boolean {
  return run.sessionBegun && run.sessionFingerprint !== sessionFingerprint(run.agent);
}

/** The plan for a session that goes on, or begins. */
export function planSession(run: ClaimedRun): SessionPlan {
  return { cliSessionId: run.cliSessionId, resume: run.sessionBegun, preface: "" };
}

/** A fresh CLI session for a conversation that has a past. */
export async function planFreshSession(
  run: ClaimedRun,
  conversations: ConversationLog,
  newSessionId: string,
): Promise<SessionPlan> {
  await conversations.renewSession(run.conversationId, newSessionId);
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
