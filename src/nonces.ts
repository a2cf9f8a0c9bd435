import type { Clock } from "./domain/clock.ts";

/** How long a printed login link works. */
const nonceMsMax = 600_000;

/** A secret that works once, for ten minutes. */
export interface Nonce {
  readonly value: string;
  redeem(given: string): boolean;
}

export function createNonce(value: string, clock: Clock): Nonce {
  const madeMs = clock.monotonicMs();
  let isUsed = false;
  return {
    value,
    redeem(given) {
      if (isUsed || given !== value || clock.monotonicMs() - madeMs > nonceMsMax) return false;
      isUsed = true;
      return true;
    },
  };
}
