import type { AgentRequestId } from "./acp-lines.ts";
import { toLine } from "./json-line.ts";
import { methodNotOffered } from "./json-rpc.ts";

/** What Headway writes to an agent that speaks ACP; every line ends with its newline. */

export function requestInput(id: number, method: string, params: object): string {
  return toLine({ jsonrpc: "2.0", id, method, params });
}

export function notificationInput(method: string, params: object): string {
  return toLine({ jsonrpc: "2.0", method, params });
}

/** `optionId` null says that the turn was cancelled, or that no option fits. */
export function permissionInput(id: AgentRequestId, optionId: string | null): string {
  const outcome = optionId === null ? { outcome: "cancelled" } : { outcome: "selected", optionId };
  return toLine({ jsonrpc: "2.0", id, result: { outcome } });
}

export function notOfferedInput(id: AgentRequestId, method: string): string {
  return toLine({ jsonrpc: "2.0", id, error: methodNotOffered(method) });
}

/** Files and terminals are the agent's own: it runs where they are. */
export const initializeParams = {
  protocolVersion: 1,
  clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
  clientInfo: { name: "headway", title: "Headway", version: "1" },
};
