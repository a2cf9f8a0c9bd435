import type { PermissionMode } from "../../domain/agent.ts";
import type { RunEventBody } from "../../domain/event.ts";
import type { PermissionRequest } from "./droid-rpc-messages.ts";
import { permissionDenied } from "./notices.ts";
import { plainText } from "./plain-text.ts";

export interface PermissionAnswer {
  selectedOption: string;
  denials: RunEventBody[];
  /** The tool that was denied. */
  deniedTool: string | null;
}

/** Guards that the user of the machine, or the organisation, set up: no agent's mode lifts them. */
const guards = new Set(["droid_shield_violation", "sandbox_violation"]);

/**
 * What its autonomy level allows, Droid does without asking; so what it asks for is beyond that, and only
 * `full` allows it. Only this once: "always" would raise the session's level.
 */
export function answerPermission(mode: PermissionMode, asked: PermissionRequest): PermissionAnswer {
  const { toolUses, options } = asked;
  const isOffered = options.some(({ value }) => value === "proceed_once");
  const isGuarded = toolUses.some(({ confirmationType = "" }) => guards.has(confirmationType));
  if (mode === "full" && isOffered && !isGuarded)
    return { selectedOption: "proceed_once", denials: [], deniedTool: null };
  const names = toolUses.map(({ toolUse }) => plainText(toolUse.name ?? "A tool"));
  return {
    selectedOption: "cancel",
    denials: names.map((name) => permissionDenied(name, mode)),
    deniedTool: names[0] ?? "A tool",
  };
}
