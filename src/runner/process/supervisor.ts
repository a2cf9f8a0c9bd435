import type { Clock } from "../../domain/clock.ts";
import type { PublishFact } from "../../domain/facts.ts";
import type { ProcessIdentity } from "../../domain/process.ts";
import type { CliProcess, ExitStatus, ProcessSpec, SpawnOutcome, Supervisor } from "./cli-process.ts";
import { createContainedProcess } from "./contained-process.ts";
import type { Containment } from "./containment.ts";
import { exitStatusOf } from "./exit-status.ts";
import { createGroupTree } from "./group-tree.ts";
import { createLimitWatch } from "./limits.ts";
import { createNamespaceTree } from "./namespace-tree.ts";
import type { ProcessTree } from "./process-tree.ts";
import { createReadingPace } from "./reading-pace.ts";
import { reap } from "./reap.ts";
import type { RunCgroups } from "./run-cgroup.ts";
import { type Started, startChild } from "./start-child.ts";
import { findStartTicks, readBootId } from "./tree.ts";

export interface SupervisorOptions {
  containment: Containment;
  clock: Clock;
  publish: PublishFact;
  /** Where nameless files are made: the machine's folder for temporary files. */
  scratchFolder: string;
  /** Where control groups may be made; without them limits are watched by looks alone. */
  cgroups?: RunCgroups | null;
}

/** Spawns CLIs in the containment that was found, and owns their trees until they are proven dead. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { containment, clock, scratchFolder, cgroups = null } = options;
  const { rung } = containment;
  const limitWatch = createLimitWatch(clock);
  const pace = createReadingPace(clock, () => Bun.gc(true));
  const bootId = readBootId();
  const living = new Map<string, CliProcess>();

  function own(spec: ProcessSpec, started: Started): CliProcess {
    const { child, status, cgroup } = started;
    const identity = identityOf(child.pid, bootId, spec.processId);
    const process = createContainedProcess({
      spec,
      child,
      tree: treeOf(options, started, identity),
      identity,
      containment: rung,
      clock,
      limitWatch,
      cgroup,
      pace,
      readExitStatus: () => exitStatusOf(outermostStatus(started), rung, status?.wasExecuted() ?? true),
      onTreeDead() {
        status?.close();
        cgroup?.remove();
        living.delete(spec.processId);
      },
    });
    living.set(spec.processId, process);
    return process;
  }

  return {
    containment: rung,
    degradedBecause: containment.degradedBecause,
    async spawn(spec): Promise<SpawnOutcome> {
      const beganMs = clock.monotonicMs();
      const started = startChild({ containment, scratchFolder, cgroups }, spec);
      if (started.kind === "failed") return started;
      const process = own(spec, started);
      const tookMs = clock.monotonicMs() - beganMs;
      const { processId, cli } = spec;
      const { pid } = started.child;
      options.publish({ type: "process.spawned", processId, cli, pid, containment: rung, tookMs });
      return { kind: "spawned", process };
    },
    // Of its own trees it knows more than a look from outside can tell.
    reap: (identity) => living.get(identity.marker)?.killTree() ?? reap(identity, clock),
    async killAll() {
      await Promise.all([...living.values()].map((process) => process.killTree()));
    },
  };
}

function identityOf(pid: number, bootId: string, marker: string): ProcessIdentity {
  const startTicks = findStartTicks(pid);
  return { pid, pidStart: startTicks === null ? "" : String(startTicks), bootId, marker };
}

function outermostStatus({ child }: Started): ExitStatus {
  return { exitCode: child.exitCode, signal: child.signalCode as string | null };
}

function treeOf(
  { containment, clock }: SupervisorOptions,
  { child, status }: Started,
  { pid, pidStart, marker }: ProcessIdentity,
): ProcessTree {
  const outermost = { pid, startTicks: Number(pidStart) };
  if (containment.rung === "process-group") return createGroupTree({ cli: outermost, marker, clock });
  return createNamespaceTree({
    wrapper: outermost,
    cliIsFirst: containment.rung === "unshare",
    reportedFirstPid: () => status?.firstPid() ?? null,
    wrapperIsDone: () => child.exitCode !== null,
    marker,
    clock,
  });
}
