import type { PermissionMode } from "../../domain/agent.ts";
import type { PermissionRequest } from "./acp-lines.ts";

/** Kinds of tools that a mode allows when the agent asks; `full` allows any, also those without a kind. */
const allowedKinds: Record<Exclude<PermissionMode, "full">, ReadonlySet<string>> = {
  read: new Set(["read", "search", "think"]),
  // What fetches from the network, runs commands or deletes is asked for by the CLIs' own edit modes too.
  edit: new Set(["read", "search", "think", "edit", "move"]),
};

export interface AskedTool {
  kind: string;
  /** Files and folders that the call is about, as the agent names them. */
  paths: readonly string[];
}

/** Whether a tool may be used; outside the agent's folder, where the call names a place, only by `full`. */
export function isAllowed(mode: PermissionMode, cwd: string, { kind, paths }: AskedTool): boolean {
  if (mode === "full") return true;
  return allowedKinds[mode].has(kind) && paths.every((path) => isWithin(cwd, path));
}

/** By its text alone: a link that leads out of the folder is for the agent to know. */
function isWithin(folder: string, path: string): boolean {
  if (path.split("/").includes("..")) return false;
  return !path.startsWith("/") || path === folder || path.startsWith(`${folder.replace(/\/$/, "")}/`);
}

/**
 * The option to choose, or null when none fits. Only this once: "always" may be kept in the agent's own
 * settings, and outlive the agent's permission mode.
 */
export function chooseOption(options: PermissionRequest["options"], allowed: boolean): string | null {
  const wanted = allowed ? ["allow_once", "allow_always"] : ["reject_once"];
  const fitting = wanted.flatMap((kind) => options.filter((option) => option.kind === kind));
  return fitting[0]?.optionId ?? null;
}
