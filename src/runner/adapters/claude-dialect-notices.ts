import type { RunEventBody } from "../../domain/event.ts";
import type { SystemLine } from "./claude-dialect-lines.ts";
import { notice } from "./notices.ts";

/** Recorded in error_401, error_429, error_529; `error_status` is null when there was no answer at all. */
export function apiRetry(line: SystemLine): RunEventBody {
  const seconds = ((line.retry_delay_ms ?? 0) / 1000).toFixed(1);
  const status = line.error_status === undefined ? "" : ` ${line.error_status}`;
  const cause = `${line.error ?? "error"}${status}`;
  const attempt = `attempt ${line.attempt ?? "?"} of ${line.max_retries ?? "?"}`;
  return notice("api_retry", `The model's API failed (${cause}); ${attempt} follows in ${seconds} s.`);
}

export function rateLimit(info: { status: string; rateLimitType?: string; resetsAt?: number }): RunEventBody {
  const kind = info.rateLimitType ? ` (${info.rateLimitType})` : "";
  const reset = info.resetsAt === undefined ? "" : `, until ${isoTime(info.resetsAt)}`;
  return notice("rate_limit", `The provider limits the rate of requests${kind}: ${info.status}${reset}.`);
}

function isoTime(unixSeconds: number): string {
  const time = new Date(unixSeconds * 1000);
  return Number.isNaN(time.getTime()) ? "an unknown time" : time.toISOString();
}
