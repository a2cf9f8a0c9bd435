import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type ContainmentReport, type Escape, escapes } from "../../src/domain/containment-report.ts";
import type { ContainmentRung } from "../../src/domain/process.ts";
import { type Evidence, layHostileGround } from "../../src/runner/process/self-test-evidence.ts";
import { expectJson } from "../helpers/http.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";
import { openStage, type Stage, type StageAgent } from "./stage.ts";

/** What hydra.c calls each of them. */
const kinds: Record<Escape, string> = {
  same_group: "same-group",
  new_session: "setsid",
  double_fork: "double-fork",
  scrubbed_environment: "scrubbed",
  undumpable: "undumpable",
  fork_hopper: "hopping",
};

/** The ways in which a run with hostile processes may end. */
export const hydraEndings = ["cancel", "deadline", "normal end", "server kill"] as const;
export type HydraEnding = (typeof hydraEndings)[number];

/** How many of each kind still live, 2 s after the end at the latest. */
export type Survivors = Partial<Record<Escape, number>>;

const graceMs = 2_000;
/** Long enough for six hydras to stand before it, on a machine that is busy. */
const deadlineMs = 6_000;

/** A server on one rung, whose runs let hydras loose. */
export interface HydraStage extends AsyncDisposable {
  stage: Stage;
  /** Lets one hydra of each kind stand in a run, ends that, and tells what lives on; it doesn't any more afterwards. */
  endRun(ending: HydraEnding): Promise<Survivors>;
  /** What the server says of its containment, once its self-test has ended. */
  tested(): Promise<ContainmentReport>;
}

export async function openHydraStage(
  rung: ContainmentRung,
  env: Record<string, string> = {},
): Promise<HydraStage> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(makeTempFolder());
  const hydra = join(folder.path, "hydra");
  await compile(hydra);
  const rungEnv = { ...environmentFor(rung, folder.path), HEADWAY_KILL_GRACE_MS: "400", ...env };
  const stage = opened.use(await openStage({ ...rungEnv, HEADWAY_SELF_TEST: "auto" }));
  const running = opened.move();
  return {
    stage,
    endRun: (ending) => playRound(stage, hydra, rung, ending),
    tested: () => testedReport(stage),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function compile(target: string): Promise<void> {
  const source = join(import.meta.dir, "../fixtures/process/hydra.c");
  const compiler = Bun.spawn(["gcc", "-O1", "-o", target, source]);
  if ((await compiler.exited) !== 0) throw new Error("hydra.c doesn't compile");
}

/** What the scripted CLI and its tools need; bwrap isn't among it. */
const programsWithoutBwrap = "env node sh sleep mkfifo setsid unshare setpriv mount".split(" ");

function environmentFor(rung: ContainmentRung, folder: string): Record<string, string> {
  if (rung === "process-group") return { HEADWAY_SANDBOX: "off" };
  if (rung === "bwrap") return {};
  // Nobody there waits for what a hopper leaves behind: the dead would fill the limit before the deadline.
  const programs = join(folder, "programs");
  mkdirSync(programs);
  for (const name of programsWithoutBwrap) symlinkSync(Bun.which(name) ?? "", join(programs, name));
  return { PATH: programs, HEADWAY_PROCESS_LIMIT: "100000" };
}

function testedReport({ server }: Stage): Promise<ContainmentReport> {
  return waitFor(
    async () => {
      const report = await expectJson<ContainmentReport>(server.fetch, 200, "GET", "/api/containment");
      return report.testedAt !== null && report;
    },
    { what: "the end of the self-test", deadlineMs: 30_000 },
  );
}

let rounds = 0;

async function playRound(
  stage: Stage,
  hydra: string,
  rung: ContainmentRung,
  ending: HydraEnding,
): Promise<Survivors> {
  using folder = makeTempFolder();
  const ground = await layHostileGround(folder.path, process.env["PATH"] ?? "");
  // Outside of a namespace a hopper's dead would be left to the machine: the self-test doesn't try it there either.
  const isTried = ({ escape }: Evidence) => rung !== "process-group" || escape !== "fork_hopper";
  const evidence = ground.evidence.killed.filter(isTried);
  try {
    const agent = await stage.agent();
    const prompt = hydraPrompt(hydra, evidence, `hydra-${++rounds}`, ending);
    await endings[ending](stage, agent, prompt, evidence);
    await waitFor(() => evidence.every(hasEnded), {
      deadlineMs: graceMs,
      what: "the end",
    }).catch(unlessLate);
    return survivorsOf(evidence);
  } finally {
    // Its reader goes, and with it whatever has survived.
    ground.release();
    ground.close();
    if (ending === "server kill") await stage.server.restart();
    rmSync(folder.path, { recursive: true, force: true });
  }
}

/** One tool call that lets all six stand, and then waits, or ends with them standing. */
function hydraPrompt(
  hydra: string,
  evidence: readonly Evidence[],
  token: string,
  ending: HydraEnding,
): string {
  const loose = evidence.map(
    ({ escape, path }) =>
      `(exec 9>${path}; echo in place >&9; ${hydra} ${token} ${kinds[escape]} </dev/null)`,
  );
  return `tool=${[...loose, ending === "normal end" ? "echo all stand" : "sleep 300"].join("; ")}`;
}

type EndRun = (
  stage: Stage,
  agent: StageAgent,
  prompt: string,
  evidence: readonly Evidence[],
) => Promise<unknown>;

const endings: Record<HydraEnding, EndRun> = {
  async cancel(stage, agent, prompt, evidence) {
    const run = await agent.begin(prompt);
    await allStand(evidence);
    await stage.cancel(run.id);
  },
  async deadline(stage, agent, prompt, evidence) {
    const run = await agent.begin(prompt, { timeoutMs: deadlineMs });
    await allStand(evidence);
    await stage.reached(run.id, "timed_out");
  },
  async "normal end"(_stage, agent, prompt, evidence) {
    await agent.ask(prompt);
    // Nobody has looked while it ran: that something was said is the proof that they stood.
    if (evidence.some((each) => each.look() === "unseen")) throw new Error("Not all hydras stood.");
  },
  async "server kill"(stage, agent, prompt, evidence) {
    await agent.begin(prompt);
    await allStand(evidence);
    await stage.server.kill();
  },
};

function allStand(evidence: readonly Evidence[]): Promise<unknown> {
  return waitFor(() => evidence.every((each) => each.look() === "alive"), { what: "all hydras to stand" });
}

function hasEnded(evidence: Evidence): boolean {
  return evidence.look() === "ended";
}

/** What hasn't ended by then is counted. */
function unlessLate(error: Error): void {
  if (!error.message.includes("the end")) throw error;
}

function survivorsOf(evidence: readonly Evidence[]): Survivors {
  const counted = evidence.map((each) => [each.escape, each.look() === "alive" ? 1 : 0] as const);
  return Object.fromEntries(counted) as Survivors;
}

export const nobody = Object.fromEntries(escapes.map((escape) => [escape, 0])) as Survivors;

/** What the self-test saw of an ending. */
export function seenBySelfTest(report: ContainmentReport, ending: "killed" | "server_died"): Survivors {
  const tests = report.tests.filter((each) => each.ending === ending && each.survivors !== null);
  return Object.fromEntries(tests.map(({ escape, survivors }) => [escape, survivors])) as Survivors;
}
