import type { Cli } from "../domain/agent.ts";
import type { Fact } from "../domain/facts.ts";

/** What one version of a CLI told that Headway doesn't know. */
export interface Drift {
  /** Null where the version isn't known. */
  cliVersion: string | null;
  /** By type, as the decoder named it, the one seen first first. */
  unknown: { type: string; count: number }[];
}

export interface DriftTally {
  hear(fact: Fact): void;
  /** Since the server's start. */
  list(cli: Cli): Drift[];
}

/** Types named in a note. */
const typesNamed = 5;

/** One sentence for people, about the CLI whose notes it stands among. */
export function noteOnDrift(drift: Drift): string {
  const { cliVersion } = drift;
  return driftOf(cliVersion === null ? "It" : `Version ${cliVersion}`, drift);
}

/** The same about ACP agents, which aren't told apart. */
export function noteOnAcpDrift(drift: Drift): string {
  const { cliVersion } = drift;
  return driftOf(cliVersion === null ? "An ACP agent" : `An ACP agent of version ${cliVersion}`, drift);
}

function driftOf(who: string, { unknown }: Drift): string {
  const count = unknown.reduce((sum, one) => sum + one.count, 0);
  const named = unknown.slice(0, typesNamed).map(({ type }) => type);
  const rest = unknown.length > typesNamed ? ` and ${unknown.length - typesNamed} more` : "";
  return `${who} told things that Headway does not know, ${count} times: ${named.join(", ")}${rest}.`;
}

/** A hostile CLI could invent a type per line, and a version per start. */
const typesMax = 64;
const versionsMax = 8;

/** Counts per CLI and version what its decoder didn't know: the first sign that a new version speaks otherwise. */
export function createDriftTally(): DriftTally {
  const counts = new Map<Cli, Map<string | null, Map<string, number>>>();

  function countsOf(cli: Cli, cliVersion: string | null): Map<string, number> | null {
    const versions = counts.get(cli) ?? new Map<string | null, Map<string, number>>();
    counts.set(cli, versions);
    if (!versions.has(cliVersion) && versions.size >= versionsMax) return null;
    const types = versions.get(cliVersion) ?? new Map<string, number>();
    versions.set(cliVersion, types);
    return types;
  }
  return {
    hear(fact) {
      if (fact.type !== "anomaly.seen" || fact.code !== "unknown_event") return;
      const types = countsOf(fact.cli, fact.cliVersion);
      if (!types || (!types.has(fact.detail) && types.size >= typesMax)) return;
      types.set(fact.detail, (types.get(fact.detail) ?? 0) + fact.count);
    },
    list: (cli) =>
      [...(counts.get(cli) ?? [])].map(([cliVersion, types]) => ({
        cliVersion,
        unknown: [...types].map(([type, count]) => ({ type, count })),
      })),
  };
}
