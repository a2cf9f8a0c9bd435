import { type Line, type Reply, splitAfter, turnsOf } from "../script.ts";
import { answerBy } from "./answer-by.ts";

/* What is the same of every agent that speaks ACP. Each was recorded with the same scenarios. */

/** A script up to where its session is open, and the turns after that; a refusal ends one, too. */
export function acpSession(script: readonly Line[], lastOfOpening = "available_commands_update") {
  const { before, after } = splitAfter(script, lastOfOpening);
  return { opening: before, turns: turnsOf(after, '"stopReason"') };
}

export function acpRefusal(method: string, code: number, message: string): Reply {
  return { replyTo: method, line: JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code, message } }) };
}

/** An update of a type that nobody knows. */
export function acpNews(sessionId: string): string {
  const params = { sessionId, update: { sessionUpdate: "news" } };
  return JSON.stringify({ jsonrpc: "2.0", method: "session/update", params });
}

/** Which options there are is each agent's affair. */
export function acpPermission(script: readonly Line[], isGrant: (optionId: string) => boolean) {
  const [lines = []] = acpSession(script).turns;
  const granted = { read: false, edit: false, full: true };
  return {
    questions: [{ what: "a shell command", lines, granted }],
    answerIn: answerBy(/"optionId":"(\w+)"/, isGrant),
  };
}

export function acpInterrupt(script: readonly Line[]) {
  const [lines = []] = acpSession(script).turns;
  return splitAfter(lines, "agent_message_chunk");
}

export function acpPromptIn(input: string): string | null {
  const { method, params } = JSON.parse(input) as Request;
  return method === "session/prompt" ? (params?.prompt?.[0]?.text ?? null) : null;
}

interface Request {
  method?: string;
  params?: { prompt?: { text: string }[] };
}

export const acpLeftovers =
  "ACP's updates name their session and not their turn: what is told after a turn's end, when the next one has begun, can't be told from its answer.";
