import type { Usage } from "../../domain/run.ts";

/** A count as it can be kept: a whole number, 0 for anything else. */
export function tokenCount(tokens: number | undefined): number {
  return tokens !== undefined && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : 0;
}

export function hasTokens(usage: Usage): boolean {
  return Object.values(usage).some((tokens) => tokens > 0);
}
