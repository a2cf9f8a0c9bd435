/** What a search asks for, as it was typed; "" where nothing was. */
export interface SearchValues {
  q: string;
  agent: string;
  cli: string;
  state: string;
  /** Days as `YYYY-MM-DD`. */
  from: string;
  to: string;
}
export type SearchField = keyof SearchValues;

export const searchFields = ["q", "agent", "cli", "state", "from", "to"] as const satisfies SearchField[];

export const noSearch: SearchValues = { q: "", agent: "", cli: "", state: "", from: "", to: "" };

/** The address of a search, without what isn't asked for. */
export function searchPath(values: SearchValues, cursor: string | null = null): string {
  const parameters = new URLSearchParams();
  for (const field of searchFields) if (values[field] !== "") parameters.set(field, values[field]);
  if (cursor !== null) parameters.set("cursor", cursor);
  return parameters.size === 0 ? "/conversations" : `/conversations?${parameters}`;
}

/** True when nothing is asked for: all conversations are meant. */
export function asksNothing(values: SearchValues): boolean {
  return searchFields.every((field) => values[field] === "");
}
