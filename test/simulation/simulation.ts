import { mkdtempSync, rmSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import type { Fact } from "../../src/domain/facts.ts";
import { idMaker } from "../../src/domain/ids.ts";
import { agentIds, createClients, newAgent } from "./actions.ts";
import { createChecker } from "./checker.ts";
import { createMachine, plentyOfBytes } from "./machine.ts";
import { createRandom } from "./random.ts";
import { openServer, type Sabotage, type Server, turn } from "./server.ts";
import { createSimTime } from "./sim-time.ts";
import { createTrace } from "./trace.ts";

export interface SimulationOptions {
  seed: number;
  steps: number;
  sabotage?: Sabotage;
  /** Hears everything that happens. */
  write?: (line: string) => void;
  /** Rejections that nobody took, as they come; each is a violation. */
  strays?: Error[];
}

export interface SimulationReport {
  seed: number;
  /** How many steps were taken: fewer than asked for when something was violated. */
  steps: number;
  violations: string[];
  /** Equal for equal simulations. */
  hash: string;
  lastActions: readonly string[];
  actions: ReadonlyMap<string, number>;
  ends: ReadonlyMap<string, number>;
  refusals: ReadonlyMap<string, number>;
  manners: ReadonlyMap<string, number>;
  runs: number;
}

/** Everything is asked of the data this often, and at each death of a server. */
const stepsBetweenLooks = 500;
/** What goes on for more turns of the event loop than this, though no time passes, never comes to rest. */
const turnsMax = 5_000;
/** Nothing was touched for so many turns: nothing is under way but what waits for time. */
const turnsOfRest = 3;
/** Longest that a start, a stop, and the end of the last run may take in simulated time. */
const startMsMax = 60_000;
const stopMsMax = 120_000;
const endMsMax = 4 * 86_400_000;

/** What goes wrong at a step, beside what clients and processes do. */
const troubles = {
  none: 9_770,
  die: 10,
  dieSoon: 15,
  restart: 8,
  storeGone: 60,
  storeBack: 300,
  lock: 5,
  unlock: 60,
  memoryGone: 20,
  memoryBack: 100,
};

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const dataDir = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "simulation-"));
  try {
    return await createSimulation(options, dataDir).run();
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

function createSimulation(options: SimulationOptions, dataDir: string) {
  const { seed, steps, sabotage = {}, write = null, strays = [] } = options;
  const random = createRandom(seed);
  const trace = createTrace(write);
  let touches = 0;
  const touched = () => void (touches += 1);
  const time = createSimTime(touched);
  const checker = createChecker(time.face());
  const machine = createMachine({ random: random.fork(), clock: time.face(), watch: checker, touched });
  let server: Server;
  let passMs = 0;
  let step = 0;
  let ids = 0;
  /** Commits until the server dies, or the store is taken away. */
  let untilDeath = Infinity;
  let untilGone = Infinity;
  let locked: Database | null = null;
  const clients = createClients({
    random: random.fork(),
    server: () => server,
    machine,
    time,
    checker,
    letPass: (ms) => void (passMs += ms),
  });

  const newUuid = () => `00000000-0000-7000-8000-${(ids++).toString(16).padStart(12, "0")}`;

  function hear(fact: Fact): void {
    trace.note(JSON.stringify(fact).replaceAll(dataDir, ""));
    if (fact.type === "commit.done") countCommit();
    else if (server.isAlive) checker.hear(fact);
  }
  function countCommit(): void {
    if (untilDeath-- <= 0) server.die();
    else if (untilGone-- <= 0) server.setStoreGone(true);
  }
  /** Until nothing goes on but what waits for time to pass. */
  async function settle(): Promise<void> {
    let rested = 0;
    for (let turns = 0; rested < turnsOfRest; turns++) {
      if (turns > turnsMax) throw new Error("The simulation does not come to rest.");
      const before = touches;
      time.ringNext(time.nowMs);
      await turn();
      rested = touches === before ? rested + 1 : 0;
    }
  }
  async function pass(ms: number): Promise<void> {
    const untilMs = time.nowMs + ms;
    do await settle();
    while (time.ringNext(untilMs));
    time.moveTo(untilMs);
    await settle();
  }
  /** Lets processes talk and time pass until the promise resolves; false when it doesn't in that time. */
  async function until(promise: Promise<unknown>, msMax: number): Promise<boolean> {
    let isDone = false;
    void promise.then(() => (isDone = true));
    const untilMs = time.nowMs + msMax;
    for (;;) {
      await settle();
      if (isDone || !server.isAlive) return true;
      const able = machine.living().filter(({ process }) => process.hasSteps);
      if (able.length > 0 && random.chance(0.7)) random.pick(able).process.step();
      else if (!time.ringNext(untilMs)) return false;
    }
  }
  async function boot(): Promise<void> {
    do {
      untilDeath = untilGone = Infinity;
      server = openServer({
        dataDir,
        machine,
        time,
        makeId: idMaker(newUuid),
        newSessionId: newUuid,
        sabotage,
        onFact: hear,
        touched,
      });
      checker.watch(server, machine);
      checker.look({ recovered: false });
      if (random.chance(0.1)) untilDeath = random.between(0, 3);
      if (!(await until(server.runner.start(), startMsMax))) checker.violations.push("the start hangs");
      if (!server.isAlive) await bury();
    } while (!server.isAlive);
    untilDeath = Infinity;
    checker.look({ recovered: true });
  }
  async function bury(): Promise<void> {
    unlock();
    clients.forget();
    await settle();
    await server.bury();
  }
  async function restart(): Promise<void> {
    heal();
    const drainMs = random.pick([0, 1_000, 30_000]);
    const stopped = server.runner.stop(drainMs);
    if (!(await until(stopped, drainMs + stopMsMax))) checker.violations.push("the stop hangs");
    if (!server.isAlive) return bury();
    if (server.alarms > 0) checker.violations.push(`${server.alarms} alarms are left after the stop`);
    if (server.runner.counts().active > 0) checker.violations.push("a run is in progress after the stop");
    clients.forget();
    await until(server.close(), stopMsMax);
  }
  /** After a violation nothing is sure: not even that the server could stop. */
  async function abandon(): Promise<void> {
    server.die();
    await bury();
  }
  function unlock(): void {
    locked?.run("rollback");
    locked?.close();
    locked = null;
  }
  function lock(): void {
    if (locked || server.isStoreGone) return;
    locked = new Database(server.store.path, { readwrite: true, create: false });
    locked.run("begin immediate");
  }
  function heal(): void {
    untilGone = Infinity;
    unlock();
    server.setStoreGone(false);
  }
  const trouble: Record<keyof typeof troubles, () => void | Promise<void>> = {
    none() {},
    die: () => server.die(),
    dieSoon: () => void (untilDeath = random.between(0, 5)),
    async restart() {
      await restart();
      await boot();
    },
    storeGone: () => void (untilGone = random.between(0, 8)),
    storeBack: heal,
    lock,
    unlock,
    memoryGone: () => void (machine.freeBytes = 0),
    memoryBack: () => void (machine.freeBytes = plentyOfBytes),
  };
  async function takeStep(): Promise<void> {
    const wrong = random.weighted(troubles);
    if (wrong !== "none") trace.action(`${step}: ${wrong}`);
    await trouble[wrong]();
    if (server.isAlive) trace.action(`${step}: ${clients.act()}`);
    // Now and then the next action comes before this one has had its effect.
    if (random.chance(0.75)) await settle();
    else for (let turns = random.between(0, 3); turns > 0; turns--) await turn();
    const ms = passMs;
    passMs = 0;
    if (ms > 0) await pass(ms);
    if (server.isAlive) return;
    trace.action(`${step}: dead`);
    await bury();
    await boot();
  }
  async function finish(): Promise<void> {
    trace.action("end: heal");
    heal();
    untilDeath = Infinity;
    machine.freeBytes = plentyOfBytes;
    machine.behave();
    const untilMs = time.nowMs + endMsMax;
    await until(server.runner.recheckAll(new AbortController().signal), stopMsMax);
    // Short at first, so that what talks is heard in time; then a provider may have named tomorrow.
    for (let whileMs = 1_000; isAnythingOpen() && time.nowMs < untilMs; whileMs *= 1.02) {
      for (const { process } of machine.living()) while (process.hasSteps) process.step();
      await pass(whileMs);
    }
    for (const runId of checker.unfinished()) checker.violations.push(`${runId} never ends`);
    if (clients.waiting > 0) checker.violations.push(`${clients.waiting} clients wait for ever`);
    await pass(4 * 86_400_000);
    if (server.alarms > 0) checker.violations.push(`${server.alarms} alarms are left at rest`);
    await restart();
    // What an agent left behind that was deleted in quarantine is ended by the next server.
    await boot();
    await restart();
    for (const { process } of machine.living()) checker.violations.push(`${process.spec.processId} lives on`);
  }
  function isAnythingOpen(): boolean {
    return clients.waiting > 0 || checker.unfinished().length > 0;
  }
  async function run(): Promise<SimulationReport> {
    await boot();
    for (const agentId of agentIds) void server.runner.createAgent(newAgent(agentId));
    await settle();
    for (; step < steps && checker.violations.length === 0; step++) {
      await takeStep().catch((thrown: Error) => strays.push(thrown));
      if (step % stepsBetweenLooks === 0) checker.look({ recovered: true });
      checker.violations.push(...strays.splice(0).map((stray) => `thrown: ${stray.stack}`));
    }
    if (checker.violations.length === 0) await finish();
    else await abandon();
    const { violations, ends, acknowledged } = checker;
    const { hash, lastActions, counts: actions } = trace;
    const { refusals } = clients;
    return {
      seed,
      steps: step,
      violations,
      hash,
      lastActions,
      actions,
      ends,
      refusals,
      manners: machine.manners,
      runs: acknowledged.size,
    };
  }
  return { run };
}
