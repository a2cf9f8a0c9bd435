import { toLine } from "./json-line.ts";

/** What Headway writes to a CLI that speaks Claude's dialect; every line ends with its newline. */

export function userInput(prompt: string): string {
  return toLine({
    type: "user",
    message: { role: "user", content: prompt },
    parent_tool_use_id: null,
    session_id: "",
  });
}

/** Sent before the first message of a process; its reply isn't waited for. */
export function initializeInput(systemPrompt: string): string {
  return controlRequest("initialize", { subtype: "initialize", appendSystemPrompt: systemPrompt });
}

/** Ends the running turn within milliseconds, the process lives on (recording bidi_hang_interrupt). */
export function interruptInput(requestId: string): string {
  return controlRequest(requestId, { subtype: "interrupt" });
}

export function denyToolInput(requestId: string, message: string): string {
  const response = { behavior: "deny", message };
  return toLine({
    type: "control_response",
    response: { subtype: "success", request_id: requestId, response },
  });
}

export function refuseControlInput(requestId: string): string {
  const error = "Headway does not answer this request.";
  return toLine({ type: "control_response", response: { subtype: "error", request_id: requestId, error } });
}

function controlRequest(requestId: string, request: Record<string, unknown>): string {
  return toLine({ type: "control_request", request_id: requestId, request });
}
