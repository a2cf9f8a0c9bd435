import type { Agent } from "../../../domain/agent.ts";
import type { BreakerReport } from "../../../domain/breaker.ts";
import type { ContainmentReport } from "../../../domain/containment-report.ts";
import type { Runner } from "../../../runner/runner-api.ts";
import type {
  Concerns,
  HealthFacts,
  LimitGroup,
  QuarantinedAgent,
  StoreCondition,
  Work,
} from "../../../views/health/health-facts.ts";

/** What the pages ask about Headway's own health; all of it is at hand and cheap. */
export interface HealthReads {
  containment(): ContainmentReport;
  /** Those that aren't as they were made. */
  breakers(): readonly BreakerReport[];
  quarantined(): readonly QuarantinedAgent[];
  work(): Work;
  store(): StoreCondition;
  readonly limits: readonly LimitGroup[];
  /** How many things need a person; also told on the page that says that something has failed. */
  attention(): number;
  /** Wakes when any of it may have changed, until the function that comes back is called. */
  onChange(wake: () => void): () => void;
}

type ConcernReads = Pick<HealthReads, keyof Concerns>;

export function readHealth(reads: Omit<HealthReads, "attention">): HealthFacts {
  return { ...readConcerns(reads), work: reads.work(), limits: reads.limits };
}

/** The part that may need a person. */
export function readConcerns(reads: ConcernReads): Concerns {
  return {
    containment: reads.containment(),
    breakers: reads.breakers(),
    quarantined: reads.quarantined(),
    store: reads.store(),
  };
}

/** An agent's circuit breaker with what opened it; null where it is closed, of which there is nothing to tell. */
export function openBreakerOf(
  runner: Pick<Runner, "breakerOf">,
  { id, breaker }: Pick<Agent, "id" | "breaker">,
): BreakerReport | null {
  return breaker.state === "closed" ? null : runner.breakerOf(id);
}
