import type { Clock } from "../../domain/clock.ts";

/** Remembers agents whose CLI doesn't come up warm, so that not every turn of theirs pays for trying. */
export interface WarmTrouble {
  /** True while warm processes aren't tried with these settings. */
  isResting(agentId: string, fingerprint: string): boolean;
  /** A turn fell back to a process of its own. */
  failed(agentId: string, fingerprint: string): void;
  /** A fresh warm process took its prompt. */
  cameUp(agentId: string): void;
}

/** Failures in a row after which warm processes rest, and for how long. */
const failuresMax = 3;
const restMs = 600_000;
/** Agents that are remembered; beyond, the one that failed the longest ago is forgotten. */
const agentsMax = 1_000;

interface Trouble {
  fingerprint: string;
  failures: number;
  atMonotonicMs: number;
}

export function createWarmTrouble(clock: Clock): WarmTrouble {
  const troubles = new Map<string, Trouble>();
  return {
    isResting(agentId, fingerprint) {
      const trouble = troubles.get(agentId);
      if (!trouble || trouble.fingerprint !== fingerprint) return false;
      return trouble.failures >= failuresMax && clock.monotonicMs() - trouble.atMonotonicMs < restMs;
    },
    failed(agentId, fingerprint) {
      const known = troubles.get(agentId);
      const failures = known?.fingerprint === fingerprint ? known.failures + 1 : 1;
      troubles.delete(agentId);
      troubles.set(agentId, { fingerprint, failures, atMonotonicMs: clock.monotonicMs() });
      const [oldest] = troubles.keys();
      if (troubles.size > agentsMax && oldest !== undefined) troubles.delete(oldest);
    },
    cameUp: (agentId) => void troubles.delete(agentId),
  };
}
