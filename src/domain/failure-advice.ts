import type { Cli } from "./agent.ts";
import { type RunErrorCode, runErrors } from "./error-codes.ts";
import { findResetAt } from "./failure-reset.ts";
import type { FailureRow } from "./failure-row.ts";
import { failureRows, findFailure } from "./failure-taxonomy.ts";
import type { RunError } from "./run.ts";

/** What a person can do about a failure: by what is known of such, where its code is the same, else by its code. */
export function adviceOf(code: RunErrorCode, known: FailureRow | null): string {
  return known?.code === code ? known.advice : runErrors[code].advice;
}

/** The same of a run's error; null where its message ends with advice already. */
export function adviceOn(
  cli: Cli | null,
  { code, message }: Pick<RunError, "code" | "message">,
): string | null {
  if (everyAdvice.some((advice) => message.endsWith(advice))) return null;
  return adviceOf(code as RunErrorCode, cli === null ? null : findFailure({ cli, text: message }));
}

const everyAdvice = [...failureRows, ...Object.values(runErrors)].map(({ advice }) => advice);

/** When the limit that a run met at `endedAt` is over, if its CLI said so; null for every other error. */
export function limitOverAt(
  { code, message }: Pick<RunError, "code" | "message">,
  endedAt: string,
  timeZone: string,
): string | null {
  if (code !== "rate_limited") return null;
  const resetAt = findResetAt(message, Date.parse(endedAt), timeZone);
  return resetAt === null ? null : new Date(resetAt).toISOString();
}
