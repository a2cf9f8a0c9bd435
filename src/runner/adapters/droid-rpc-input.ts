import type { PermissionMode } from "../../domain/agent.ts";
import { shortened } from "../../domain/run.ts";
import type { DialogueSpec } from "./adapter.ts";
import { toLine } from "./json-line.ts";
import { methodNotOffered } from "./json-rpc.ts";

/** What Headway writes to a Droid that speaks stream-jsonrpc; every line ends with its newline. */

/** Without these two it answers no line at all (recording jsonrpc-refused). */
const envelope = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", factoryProtocolVersion: "1.220.0" };

/** Where Droid keeps the session; Headway's sessions are of this machine alone. */
const machineId = "headway";

const autonomyLevels: Record<PermissionMode, string> = { read: "off", edit: "low", full: "high" };

const titleCharsMax = 60;

export function requestInput(id: string, method: string, params: object): string {
  return toLine({ ...envelope, type: "request", id, method: `droid.${method}`, params });
}

/** With a title given, Droid asks the model for none, which it does otherwise at a session's first turn. */
export function initializeParams(spec: DialogueSpec, prompt: string): object {
  const { sessionId, cwd, systemPrompt } = spec;
  const append = { type: "preset", preset: "droid", append: systemPrompt };
  return {
    machineId,
    sessionId,
    cwd,
    title: shortened(prompt.trim(), titleCharsMax) || "Headway",
    ...settingsParams(spec),
    ...(systemPrompt ? { systemPrompt: append } : {}),
  };
}

/** A loaded session has kept what it was begun or last forked with. */
export function settingsParams({ model, permissionMode }: DialogueSpec): object {
  return {
    autonomyLevel: autonomyLevels[permissionMode],
    ...(model === null ? {} : { modelId: model }),
  };
}

export function replyInput(id: string, result: object): string {
  return toLine({ ...envelope, type: "response", id, result });
}

export function notOfferedInput(id: string, method: string): string {
  return toLine({ ...envelope, type: "response", id, error: methodNotOffered(method) });
}
