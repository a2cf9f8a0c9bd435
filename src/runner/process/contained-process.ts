import type { Subprocess } from "bun";
import type { Clock } from "../../domain/clock.ts";
import type { ContainmentRung, ProcessIdentity } from "../../domain/process.ts";
import { createAccount } from "./account.ts";
import type { CliProcess, ExitStatus, LimitCode, ProcessSpec } from "./cli-process.ts";
import { createHearing } from "./hearing.ts";
import { createInput } from "./input.ts";
import { createLeftovers } from "./leftovers.ts";
import type { LimitWatch } from "./limits.ts";
import { createOutput } from "./output.ts";
import type { ProcessTree } from "./process-tree.ts";
import type { ReadingPace } from "./reading-pace.ts";
import type { RunCgroup } from "./run-cgroup.ts";

export interface ContainedProcessSpec {
  spec: ProcessSpec;
  child: Subprocess<"pipe", "pipe", "pipe">;
  tree: ProcessTree;
  identity: ProcessIdentity;
  containment: ContainmentRung;
  clock: Clock;
  limitWatch: LimitWatch;
  /** What limits the tree by the kernel; null where looks alone do. */
  cgroup: RunCgroup | null;
  pace: ReadingPace;
  /** How the CLI ended, once the outermost process has. */
  readExitStatus: () => ExitStatus;
  /** Told when the whole tree is proven dead. */
  onTreeDead: () => void;
}

/** Output that is still in the pipe when the CLI ends is waited for this long. */
const drainMsMax = 500;

/** Owns a process that was just spawned: reads it, writes to it, counts it and ends it whole. */
export function createContainedProcess(owned: ContainedProcessSpec): CliProcess {
  const { spec, child, tree } = owned;
  let exitStatus: ExitStatus | null = null;
  const hearing = createHearing();
  const killTree = createTreeKill(tree, owned.onTreeDead);
  const onLimit = createLimitAlarm((code) => {
    void hearing.tell((listener) => listener.limitReached(code));
    void killTree();
  });
  const { limits } = spec;
  const { clock, limitWatch, cgroup } = owned;
  const account = createAccount({ tree, limits, limitWatch, cgroup, clock, onLimit });
  const { stdout, stderr } = child;
  const { lineBytesMax } = limits;
  const { pace } = owned;
  const output = createOutput({ stdout, stderr, lineBytesMax, hearing, pace, admit: account.admitStdout });
  const ended = child.exited.then(() => (exitStatus = owned.readExitStatus()));
  const input = createInput(child.stdin, ended);
  const exited = ended.then(finish);
  const leftovers = createLeftovers(tree, clock);

  let turns = 0;

  /** Whatever the CLI left behind is killed at once, which also closes the pipes that it may hold. */
  async function finish(status: ExitStatus): Promise<ExitStatus> {
    // The kernel may have killed the CLI itself; its group is gone with its tree.
    const passed = account.passedByKernel();
    void killTree();
    input.close();
    await output.drain(drainMsMax);
    account.close(null);
    if (passed !== null) onLimit(passed);
    void hearing.tell((listener) => listener.exited(status));
    return status;
  }

  return {
    id: spec.processId,
    cli: spec.cli,
    identity: owned.identity,
    containment: owned.containment,
    get exitStatus() {
      return exitStatus;
    },
    exited,
    get stderrTail() {
      return output.stderrTail();
    },
    listen(listener) {
      hearing.listen(listener);
      output.start();
    },
    write: input.write,
    closeInput: input.close,
    signal: (signal) => exitStatus === null && tree.signalCli(signal),
    beginAccount() {
      if (exitStatus === null) account.begin();
      // What was said before the first turn may be why that one fails; what an earlier turn said is not.
      if (turns > 0) output.forgetStderr();
      turns += 1;
    },
    account() {
      const processes = exitStatus === null ? tree.listThoroughly() : null;
      return { ...account.close(processes), leftovers: leftovers.among(processes ?? []) };
    },
    markBaseline: leftovers.markBaseline,
    leftovers: leftovers.leftovers,
    killLeftovers: leftovers.killLeftovers,
    killTree,
  };
}

/** All who want the tree dead wait for the same kill; one that left survivors may be tried again. */
function createTreeKill(tree: ProcessTree, onTreeDead: () => void): () => Promise<number> {
  let killing: Promise<number> | null = null;

  async function kill(): Promise<number> {
    const survivors = await tree.kill();
    if (survivors === 0) onTreeDead();
    else killing = null;
    return survivors;
  }

  return () => (killing ??= kill());
}

/** Of all limits that are passed only the first counts, since the tree is killed for it. */
function createLimitAlarm(alarm: (code: LimitCode) => void): (code: LimitCode) => void {
  let isRung = false;
  return (code) => {
    if (isRung) return;
    isRung = true;
    alarm(code);
  };
}
