export type IdPrefix = "conv" | "turn" | "run" | "msg" | "proc" | "login";

/** Makes prefixed ids whose order as text is the order in which they were made. */
export type MakeId = (prefix: IdPrefix) => string;

/** An agent is named by its owner. */
export const agentIdPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Wraps a source of sortable UUIDs (version 7), which is the machine's business. */
export function idMaker(sortableUuid: () => string): MakeId {
  return (prefix) => `${prefix}_${sortableUuid().replaceAll("-", "")}`;
}
