import { type AcpAgent, createAcpDialect } from "../../../src/runner/adapters/acp-dialect.ts";
import type { Decoded, DialogueSpec } from "../../../src/runner/adapters/adapter.ts";
import { inputsOf } from "../../contract/decoded.ts";
import { type Line, rehearse, type Rehearsal } from "../../contract/script.ts";

/* Small hand-made messages of ACP, for what the recordings don't show, or not alone. */

export const sessionId = "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69";
export const folder = "/home/dev/project";

const agent: AcpAgent = {
  cli: "acp",
  label: "Some Agent",
  args: () => ["acp"],
  env: {},
  modelByArgs: false,
  permissionModeByArgs: false,
};

export function dialectOf(over: Partial<AcpAgent> = {}) {
  return createAcpDialect({ ...agent, ...over });
}

export function specOf(over: Partial<DialogueSpec> = {}): DialogueSpec {
  return {
    executable: "/opt/some-agent",
    sessionId,
    resume: false,
    cwd: folder,
    model: null,
    permissionMode: "edit",
    mcpConfigPath: null,
    systemPrompt: null,
    ...over,
  };
}

export function talkWith(over: Partial<DialogueSpec> = {}, agentOver: Partial<AcpAgent> = {}): Rehearsal {
  return rehearse(dialectOf(agentOver), specOf(over));
}

/** A talk whose first turn has begun: the session is open and the prompt was sent. */
export function prompted(over: Partial<DialogueSpec> = {}, prompt = "hello"): Rehearsal {
  const talk = talkWith(over);
  talk.begin(prompt);
  talk.say(opening());
  return talk;
}

/** What a talk's turn is decoded to, with these messages and a plain end. */
export function turnOf(messages: readonly object[], over: Partial<DialogueSpec> = {}): Decoded[] {
  return prompted(over).say([...messages.map(lineOf), ended()]);
}

export function lineOf(message: object): string {
  return JSON.stringify({ jsonrpc: "2.0", ...message });
}

export function replyTo(method: string, result: unknown): Line {
  return { replyTo: method, line: lineOf({ id: 0, result }) };
}

export function refusalOf(method: string, error: object): Line {
  return { replyTo: method, line: lineOf({ id: 0, error }) };
}

export const initialized = {
  protocolVersion: 1,
  agentInfo: { name: "some-agent", version: "2.1.0" },
  agentCapabilities: { loadSession: true },
};

export function opening(session: object = {}): Line[] {
  return [replyTo("initialize", initialized), replyTo("session/new", { sessionId, ...session })];
}

export function loading(session: object = {}): Line[] {
  return [replyTo("initialize", initialized), replyTo("session/load", session)];
}

export const historyEnd = refusalOf("_headway/end_of_history", { code: -32601, message: "Method not found" });

/** The end of a turn. */
export function ended(result: object = {}): Line {
  return replyTo("session/prompt", { stopReason: "end_turn", ...result });
}

export function failed(error: object): Line {
  return refusalOf("session/prompt", error);
}

export function update(sessionUpdate: string, more: object = {}, ofSession = sessionId) {
  const params = { sessionId: ofSession, update: { sessionUpdate, ...more } };
  return { method: "session/update", params };
}

export function says(text: string, more: object = {}) {
  return update("agent_message_chunk", { content: { type: "text", text }, ...more });
}

export function tool(toolCallId: string, more: object = {}) {
  return update("tool_call", { toolCallId, ...more });
}

export function toolUpdate(toolCallId: string, more: object = {}) {
  return update("tool_call_update", { toolCallId, ...more });
}

export const anyOptions = [
  { optionId: "always", kind: "allow_always" },
  { optionId: "once", kind: "allow_once" },
  { optionId: "no", kind: "reject_once" },
];

export function asks(id: string | number, toolCall: object, options: object[] = anyOptions) {
  return { id, method: "session/request_permission", params: { sessionId, toolCall, options } };
}

interface Message {
  id?: string | number;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: { code: number; message: string };
}

/** What was written to the agent. */
export function writtenBy(source: Rehearsal | readonly Decoded[]): Message[] {
  const inputs = "inputs" in source ? source.inputs : inputsOf(source);
  return inputs.map((input) => JSON.parse(input) as Message);
}

/** The texts of all prompts that were sent. */
export function promptsOf(talk: Rehearsal): string[] {
  const prompts = writtenBy(talk).filter(({ method }) => method === "session/prompt");
  return prompts.map(({ params }) => (params?.["prompt"] as { text: string }[] | undefined)?.[0]?.text ?? "");
}
