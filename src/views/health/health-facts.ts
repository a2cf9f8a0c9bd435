import type { BreakerReport } from "../../domain/breaker.ts";
import type { ContainmentReport } from "../../domain/containment-report.ts";

/** An agent that gets no runs because its old processes could not be ended. */
export interface QuarantinedAgent {
  agentId: string;
  sinceMs: number;
}

/** What goes on, and how much of it may at once. */
export interface Work {
  running: number;
  runsMax: number;
  /** Agents with messages that wait, in the order of their next turn. */
  waiting: readonly { agentId: string; messages: number }[];
  warm: number;
  warmMax: number;
  /** CLI processes that are coming up. */
  starting: number;
  startsMax: number;
  streams: number;
  streamsMax: number;
  isDraining: boolean;
}

/** One configured limit. */
export interface LimitShown {
  /** A sentence for people. */
  meaning: string;
  /** The setting's variable. */
  variable: string;
  /** With its unit. */
  value: string;
}

export interface LimitGroup {
  title: string;
  limits: readonly LimitShown[];
}

export interface StoreCondition {
  /** Why it takes no writes; null when it does. */
  failure: string | null;
  /** On the disk that holds the data directory; null where that can't be told. */
  freeBytes: number | null;
}

/** All that the health page shows. */
export interface HealthFacts {
  containment: ContainmentReport;
  breakers: readonly BreakerReport[];
  quarantined: readonly QuarantinedAgent[];
  work: Work;
  store: StoreCondition;
  limits: readonly LimitGroup[];
}

/** The part that may need a person. */
export type Concerns = Pick<HealthFacts, "containment" | "breakers" | "quarantined" | "store">;

export type SectionName = "breakers" | "quarantine" | "work" | "containment" | "store" | "limits";

/** Something that a person should look at. */
export interface Attention {
  section: SectionName;
  /** How many things it is. */
  count: number;
  sentence: string;
}

/** What needs a person, the gravest first; nothing when all is well. */
export function attentionOf({ store, quarantined, breakers, containment }: Concerns): Attention[] {
  const open = breakers.filter(({ state }) => state === "open").map(({ agentId }) => agentId);
  const probing = breakers.filter(({ state }) => state === "half_open").map(({ agentId }) => agentId);
  const haunted = quarantined.map(({ agentId }) => agentId);
  const found: Attention[] = [
    { section: "store", count: store.failure === null ? 0 : 1, sentence: "The store takes no writes." },
    { section: "quarantine", count: haunted.length, sentence: `In quarantine: ${named(haunted)}.` },
    { section: "breakers", count: open.length, sentence: `Circuit breaker open: ${named(open)}.` },
    { section: "breakers", count: probing.length, sentence: `Circuit breaker half open: ${named(probing)}.` },
    { section: "containment", ...containmentAttention(containment) },
  ];
  return found.filter(({ count }) => count > 0);
}

function containmentAttention({ sandboxOff, status }: ContainmentReport): Omit<Attention, "section"> {
  if (sandboxOff) return { count: 1, sentence: "The sandbox is off." };
  return { count: status === "degraded" ? 1 : 0, sentence: "Containment is degraded." };
}

const namedMax = 5;

function named(agentIds: readonly string[]): string {
  const more = agentIds.length - namedMax;
  return agentIds.slice(0, namedMax).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

export function countAttention(concerns: Concerns): number {
  return attentionOf(concerns).reduce((sum, { count }) => sum + count, 0);
}
