import { type Clock, isoTime } from "../domain/clock.ts";
import type {
  ContainmentFinding,
  ContainmentReport,
  ContainmentTestStore,
} from "../domain/containment-report.ts";
import { judgeContainment } from "../domain/containment-verdict.ts";
import type { PublishFact } from "../domain/facts.ts";
import type { Containment } from "./process/containment.ts";
import type { RunCgroups } from "./process/run-cgroup.ts";
import type { SelfTestProcess } from "./process/self-test-process.ts";
import { unlessStoreFails } from "./store-failure.ts";

export interface ContainmentDeskOptions {
  containment: Pick<Containment, "rung" | "degradedBecause" | "fix">;
  sandboxOff: boolean;
  /** Why the kernel limits no run's memory, or what limits it. */
  memory: MemoryGuard;
  /** Everything on which the result of a self-test depends. */
  fingerprint: string;
  store: ContainmentTestStore;
  clock: Clock;
  publish: PublishFact;
  startSelfTest(): SelfTestProcess;
}

/** What the control groups were found to be. */
export type MemoryGuard =
  { kind: "none"; because: string } | { kind: "found"; cgroups: Pick<RunCgroups, "trouble"> };

/** Where it is known what contains runs, and how well. */
export interface ContainmentDesk {
  report(): ContainmentReport;
  /** Has the self-test made, a moment later, unless what an earlier start saw still holds. */
  begin(): void;
  /** Ends a self-test that is under way. */
  stop(): Promise<void>;
}

/** The first pages and runs after a start come before it. */
const quietMs = 1_000;

export function createContainmentDesk(options: ContainmentDeskOptions): ContainmentDesk {
  const { containment, fingerprint, store, clock, publish } = options;
  const kept = store.findContainmentTests(fingerprint);
  let finding: ContainmentFinding | null = kept;
  let failure: string | null = null;
  let stop = async () => {};

  function report(): ContainmentReport {
    const { rung, degradedBecause, fix } = containment;
    const tests = [...(finding?.tests ?? [])];
    return {
      ...judgeContainment({ rung, degradedBecause, tests, failure }),
      rung,
      fix,
      sandboxOff: options.sandboxOff,
      filePolicy: rung === "bwrap",
      memoryLimit: memoryLimitOf(options),
      testedAt: finding && isoTime(finding.testedAtMs),
      cached: kept !== null,
      tests,
    };
  }

  async function test(): Promise<void> {
    const begunMs = clock.monotonicMs();
    const process = options.startSelfTest();
    let isStopped = false;
    stop = () => ((isStopped = true), process.stop());
    const outcome = await process.outcome;
    if (isStopped) return;
    if (outcome.kind === "failed") failure = outcome.message;
    else {
      finding = { tests: outcome.tests, testedAtMs: clock.wallMs() };
      await unlessStoreFails(store.keepContainmentTests(fingerprint, finding));
    }
    tell(clock.monotonicMs() - begunMs);
  }

  function tell(tookMs: number): void {
    const { rung, status, because, cached, tests } = report();
    const survivors = tests.reduce((sum, each) => sum + (each.survivors ?? 0), 0);
    publish({ type: "containment.tested", rung, status, because, survivors, cached, tookMs });
  }

  return {
    report,
    begin() {
      if (kept !== null) return tell(0);
      const alarm = clock.after(quietMs, () => void test());
      stop = async () => alarm.stop();
    },
    stop: () => stop(),
  };
}

const unprotected = "A run could raise its limit: only bubblewrap keeps it from writing to control groups.";

function memoryLimitOf({
  memory,
  containment,
}: Pick<ContainmentDeskOptions, "memory" | "containment">): ContainmentReport["memoryLimit"] {
  if (memory.kind === "none") return { by: "polling", because: memory.because };
  const { trouble } = memory.cgroups;
  if (trouble !== null) return { by: "polling", because: trouble };
  return { by: "cgroup", because: containment.rung === "bwrap" ? null : unprotected };
}
