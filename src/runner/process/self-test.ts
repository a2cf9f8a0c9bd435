import {
  type ContainmentTest,
  type Ending,
  type Escape,
  endings,
  escapes,
} from "../../domain/containment-report.ts";
import { type Clock, pause } from "../../domain/clock.ts";
import type { ProcessSpec } from "./cli-process.ts";
import type { Containment } from "./containment.ts";
import { reap } from "./reap.ts";
import { type Evidence, type HostileGround, layHostileGround } from "./self-test-evidence.ts";
import { startStandIn } from "./self-test-stand-in.ts";
import { hostileTree } from "./self-test-trees.ts";
import { createSupervisor } from "./supervisor.ts";

export interface SelfTestOptions {
  containment: Containment;
  hiddenPaths: readonly string[];
  /** An empty one, which its owner takes away. */
  folder: string;
  /** The search path of the hostile trees. */
  path: string;
  clock: Clock;
}

/** A tree that isn't in place by then isn't counted as tried. */
const inPlaceMsMax = 5_000;
/** What lives for so long after the kill, or after its server's death, lives on. */
const settleMsMax = 1_000;
/** What is let go of ends at once; a fork hopper between two looks at the leash. */
const releaseMsMax = 5_000;
const lookMs = 5;

/**
 * Lets hostile trees try to outlive a kill and the death of their server, and tells which did. It ends whatever
 * does: every hostile process is on a leash. Takes a few hundred milliseconds where containment is full, and
 * some seconds where it isn't; looks at /proc often on the lowest rung, so it belongs into a process of its own.
 */
export async function runSelfTest(options: SelfTestOptions): Promise<ContainmentTest[]> {
  const ground = await layHostileGround(options.folder, options.path);
  try {
    const killed = await tryKill(options, ground);
    const serverDied = await tryServerDeath(options, ground);
    return [...killed, ...serverDied, ...untriedTests(options.containment)];
  } finally {
    ground.release();
    await lookUntil(options.clock, releaseMsMax, () => hasNoneAlive(Object.values(ground.evidence).flat()));
    ground.close();
  }
}

/**
 * Outside of a namespace nobody but the machine's first process waits for what a hopper leaves behind, thousands
 * of dead in a second, and in a container often not even that one does.
 */
function isTried(escape: Escape, { rung }: Containment): boolean {
  return escape !== "fork_hopper" || rung !== "process-group";
}

function triedEvidence(
  { containment }: SelfTestOptions,
  ground: HostileGround,
  ending: Ending,
): readonly Evidence[] {
  return ground.evidence[ending].filter(({ escape }) => isTried(escape, containment));
}

function untriedTests(containment: Containment): ContainmentTest[] {
  const note = "It isn't tried here, since nobody may wait for the processes that it leaves dead.";
  const untried = escapes.filter((escape) => !isTried(escape, containment));
  return endings.flatMap((ending) => untried.map((escape) => ({ escape, ending, survivors: null, note })));
}

/** As a run is cancelled: spawned by a supervisor, and killed by it. */
async function tryKill(options: SelfTestOptions, ground: HostileGround): Promise<ContainmentTest[]> {
  const { containment, clock, folder } = options;
  const evidence = triedEvidence(options, ground, "killed");
  const supervisor = createSupervisor({ containment, clock, publish() {}, scratchFolder: folder });
  const specs = hostileSpecs(options, ground, "killed");
  const spawned = await Promise.all(specs.map((spec) => supervisor.spawn(spec)));
  const before = await lookAtAll(clock, evidence);
  await supervisor.killAll();
  await lookUntil(clock, settleMsMax, () => hasNoneAlive(evidence));
  return evidence.map((each, at) => {
    const outcome = spawned[at];
    const refused = outcome?.kind === "failed" ? outcome.message : null;
    return testOf(each, "killed", refused ?? untriedOf(before[at]));
  });
}

/** The stand-in spawns the same trees by the same code, and is killed as nobody can ignore. */
async function tryServerDeath(options: SelfTestOptions, ground: HostileGround): Promise<ContainmentTest[]> {
  const { containment, clock, folder } = options;
  const evidence = triedEvidence(options, ground, "server_died");
  const specs = hostileSpecs(options, ground, "server_died");
  const standIn = startStandIn({ containment, scratchFolder: folder, specs });
  const before = await lookAtAll(clock, evidence);
  const identities = await standIn.kill();
  await lookUntil(clock, settleMsMax, () => hasNoneAlive(evidence));
  const tests = evidence.map((each, at) => testOf(each, "server_died", untriedOf(before[at])));
  if (hasNoneAlive(evidence)) return tests;
  await Promise.all(identities.map((identity) => reap(identity, clock)));
  return tests.map((each, at) =>
    each.survivors === 1 ? { ...each, note: foundLater(evidence[at]!) } : each,
  );
}

/** What the next start makes of it, which looks for what an earlier server has left. */
function foundLater(evidence: Evidence): string {
  return evidence.look() === "alive" ? "The next start doesn't find it." : "The next start ends it.";
}

type Look = ReturnType<Evidence["look"]>;

/** Waits until all are in place, as long as that may take. */
async function lookAtAll(clock: Clock, evidence: readonly Evidence[]): Promise<Look[]> {
  await lookUntil(clock, inPlaceMsMax, () => evidence.every((each) => each.look() !== "unseen"));
  return evidence.map((each) => each.look());
}

/** Only the death of what was alive proves anything. */
function untriedOf(before: Look | undefined): string | null {
  if (before === "alive") return null;
  return before === "ended"
    ? "It ended by itself before it was to be ended."
    : `It didn't come up within ${inPlaceMsMax} ms.`;
}

function testOf(evidence: Evidence, ending: Ending, untried: string | null): ContainmentTest {
  const { escape } = evidence;
  if (untried !== null) return { escape, ending, survivors: null, note: untried };
  return { escape, ending, survivors: evidence.look() === "alive" ? 1 : 0, note: null };
}

function hostileSpecs(options: SelfTestOptions, ground: HostileGround, ending: Ending): ProcessSpec[] {
  return triedEvidence(options, ground, ending).map(({ escape, path: evidence }) => {
    const { file, args, env } = hostileTree(escape, { leash: ground.leash, evidence });
    return {
      processId: `proc_${Bun.randomUUIDv7().replaceAll("-", "")}`,
      cli: "demo",
      file,
      args,
      cwd: "/",
      env: { PATH: options.path, ...env },
      hiddenPaths: options.hiddenPaths,
      // Far beyond what such a tree needs: here it is only containment that is tried.
      limits: {
        memoryBytesMax: 2 ** 31,
        processesMax: 10_000,
        lineBytesMax: 65_536,
        stdoutBytesMax: 2 ** 20,
      },
    };
  });
}

function hasNoneAlive(evidence: readonly Evidence[]): boolean {
  return evidence.every((each) => each.look() !== "alive");
}

async function lookUntil(clock: Clock, waitMsMax: number, holds: () => boolean): Promise<void> {
  const deadlineMs = clock.monotonicMs() + waitMsMax;
  while (!holds() && clock.monotonicMs() < deadlineMs) await pause(clock, lookMs);
}
