import type { BreakerReport } from "../../src/domain/breaker.ts";
import { type ContainmentReport, endings, escapes } from "../../src/domain/containment-report.ts";
import type { HealthFacts, Work } from "../../src/views/health/health-facts.ts";

const at = "2026-11-22T10:00:00.000Z";

/** The best rung, tested, but for what is given. */
export function aContainmentReport(given: Partial<ContainmentReport> = {}): ContainmentReport {
  return {
    status: "full",
    rung: "bwrap",
    because: null,
    fix: null,
    sandboxOff: false,
    filePolicy: true,
    memoryLimit: { by: "cgroup", because: null },
    testedAt: at,
    cached: false,
    tests: escapes.flatMap((escape) =>
      endings.map((ending) => ({ escape, ending, survivors: 0, note: null })),
    ),
    ...given,
  };
}

/** The lowest rung, on which some live on and some couldn't be tried. */
export function aDegradedReport(): ContainmentReport {
  return aContainmentReport({
    status: "degraded",
    rung: "process-group",
    because: "bwrap isn't installed; unshare doesn't work here (Operation not permitted)",
    fix: "Install bubblewrap: sudo apt install bubblewrap",
    filePolicy: false,
    memoryLimit: { by: "polling", because: "HEADWAY_CGROUP is off." },
    tests: escapes.flatMap((escape, index) => [
      { escape, ending: "killed" as const, survivors: index < 3 ? 0 : index - 2, note: null },
      { escape, ending: "server_died" as const, survivors: null, note: "no helper could be started" },
    ]),
  });
}

/** Opened by failures of the service, but for what is given. */
export function anOpenBreaker(given: Partial<BreakerReport> = {}): BreakerReport {
  return {
    agentId: "anna",
    state: "open",
    failures: 5,
    openedAt: at,
    retryAt: "2026-11-22T10:00:30.000Z",
    cause: {
      code: "overloaded",
      message: "The model's provider is overloaded or failing.",
      advice: "Wait a few minutes, then send it again.",
      runId: "run_7",
    },
    changes: [{ at, from: "closed", to: "open", reason: "failures", runId: "run_7", code: "overloaded" }],
    ...given,
  };
}

export function someWork(given: Partial<Work> = {}): Work {
  return {
    running: 2,
    runsMax: 10,
    waiting: [],
    warm: 1,
    warmMax: 4,
    starting: 0,
    startsMax: 4,
    streams: 3,
    streamsMax: 2_000,
    isDraining: false,
    ...given,
  };
}

/** All is well, but for what is given. */
export function someHealth(given: Partial<HealthFacts> = {}): HealthFacts {
  return {
    containment: aContainmentReport(),
    breakers: [],
    quarantined: [],
    work: someWork(),
    store: { failure: null, freeBytes: 20 * 1_073_741_824 },
    limits: [
      { title: "Runs", limits: [{ meaning: "Runs at once.", variable: "HEADWAY_MAX_RUNS", value: "10" }] },
    ],
    ...given,
  };
}
