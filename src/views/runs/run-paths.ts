/** Longer ids than this are nobody's but an attacker's, and would make a page of links alone. */
const toolIdCharsMax = 500;

export function runPath(runId: string): string {
  return `/runs/${runId}`;
}

/**
 * The page of one tool call. Null for ids that no path can carry: a browser takes "." and ".." for folders
 * however they are encoded, and half a surrogate pair is no text.
 */
export function toolCallPath(runId: string, toolId: string): string | null {
  const isCarried =
    toolId !== "" &&
    toolId !== "." &&
    toolId !== ".." &&
    toolId.length <= toolIdCharsMax &&
    toolId.isWellFormed();
  return isCarried ? `${runPath(runId)}/tools/${encodeURIComponent(toolId)}` : null;
}
