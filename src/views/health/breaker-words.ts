import type { BreakerReason, BreakerState } from "../../domain/breaker.ts";

export const breakerStatesShown: Record<BreakerState, string> = {
  closed: "closed",
  open: "open",
  half_open: "half open",
};

/** How its station is drawn. */
export const breakerChips: Record<BreakerState, string> = {
  closed: "status-idle",
  open: "status-breaker_open",
  half_open: "status-probing",
};

/** Why it moved, in a few words. */
export const breakerReasonsShown: Record<BreakerReason, string> = {
  failures: "too many failures in a row",
  rate_limited: "a limit of the provider was reached",
  auth_required: "the CLI was not signed in",
  retry_due: "the pause was over",
  probe_succeeded: "the probe went well",
  probe_failed: "the probe failed",
  reset: "closed by hand",
};
