import type { Database } from "bun:sqlite";
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { composeRunner, type Machine as RunnerMachine } from "../../src/compose-runner.ts";
import { type Config, parseConfig } from "../../src/config.ts";
import type { Fact } from "../../src/domain/facts.ts";
import type { MakeId } from "../../src/domain/ids.ts";
import { createRedactor } from "../../src/runner/policies/redaction.ts";
import type { Containment } from "../../src/runner/process/containment.ts";
import type { Supervisor } from "../../src/runner/process/cli-process.ts";
import type { RunnerService } from "../../src/runner/runner.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { projectDir } from "../helpers/source-tree.ts";
import { folderOf, type Machine } from "./machine.ts";
import type { SimTime } from "./sim-time.ts";

/** What stands between the runner and its surroundings, for tests that break something there. */
export interface Sabotage {
  store?(store: Store): Store;
  supervisor?(supervisor: Supervisor): Supervisor;
}

export interface ServerSpec {
  dataDir: string;
  machine: Machine;
  time: SimTime;
  makeId: MakeId;
  newSessionId(): string;
  sabotage: Sabotage;
  onFact(fact: Fact): void;
  touched(): void;
}

/** One server's life, from opening the store to its clean stop or its sudden death. */
export interface Server {
  readonly runner: RunnerService;
  readonly store: Store;
  /** Sees what is committed, and nothing else. */
  readonly reader: Database;
  /** Reads by another one, which is opened for that alone. */
  readAfresh<T>(read: (database: Database) => T): T;
  readonly isAlive: boolean;
  /** Alarms that the runner has set. */
  readonly alarms: number;
  /** The file is taken away from under the server, or put back. */
  setStoreGone(isGone: boolean): void;
  readonly isStoreGone: boolean;
  /** As `kill -9`: nothing that was under way comes to anything, in this very moment. */
  die(): void;
  /** After `die`: lets go of what the process held. */
  bury(): Promise<void>;
  /** After the runner has stopped. */
  close(): Promise<void>;
}

const never = new Promise<never>(() => {});

export const simulatedLimits = {
  HEADWAY_MAX_RUNS: "3",
  HEADWAY_QUEUE_LIMIT: "5",
  HEADWAY_WARM_PROCESSES: "2",
  HEADWAY_WARM_IDLE_MS: "60000",
  HEADWAY_RUN_TIMEOUT_MS: "120000",
  HEADWAY_STALL_TIMEOUT_MS: "20000",
  HEADWAY_FIRST_OUTPUT_MS: "10000",
  HEADWAY_KILL_GRACE_MS: "2000",
  HEADWAY_LINGER_MS: "1000",
  HEADWAY_MAX_STARTS: "2",
  HEADWAY_BREAKER_FAILURES: "3",
  HEADWAY_BREAKER_PAUSE_MS: "5000",
  HEADWAY_BREAKER_PAUSE_MAX_MS: "60000",
};

export function openServer(spec: ServerSpec): Server {
  const { dataDir, machine, time, touched } = spec;
  const storeClock = time.face();
  const runnerClock = time.face();
  let isAlive = true;
  let isStoreGone = false;
  const path = join(dataDir, "headway.db");

  function setStoreGone(isGone: boolean): void {
    if (isGone === isStoreGone) return;
    isStoreGone = isGone;
    if (isGone) renameSync(path, `${path}.gone`);
    else renameSync(`${path}.gone`, path);
  }
  function publish(fact: Fact): void {
    touched();
    if (isAlive) spec.onFact(fact);
  }
  if (existsSync(`${path}.gone`)) throw new Error("The server before was not buried.");
  const opened = openStore({
    dataDir,
    migrationsDir: join(projectDir, "migrations"),
    clock: storeClock,
    publish,
    bootId: "simulated",
    pid: 1,
  });
  if (opened.kind === "refused") throw new Error(`The store was refused: ${opened.message}`);
  const { store } = opened;
  const reader = store.openReader();
  const supervisor = machine.supervisor();
  const guarded = guardStore(store, { isAlive: () => isAlive, touched, machine });
  const { runner } = composeRunner(
    {
      config: simulatedConfig(dataDir),
      acpAgents: [],
      environment: {},
      version: "0.0.0",
      dataDir,
      installationDir: projectDir,
      redactor: createRedactor({}),
      store: spec.sabotage.store?.(guarded) ?? guarded,
      containment: {} as Containment,
      clock: runnerClock,
      makeId: spec.makeId,
      newSessionId: spec.newSessionId,
      publish,
      subscribe: () => {},
      onLogError: (error) => {
        throw error;
      },
    },
    runnerMachine(spec.sabotage.supervisor?.(supervisor) ?? supervisor, machine),
  );

  return {
    runner,
    store,
    reader,
    readAfresh(read) {
      const wasGone = isStoreGone;
      setStoreGone(false);
      const fresh = store.openReader();
      try {
        return read(fresh);
      } finally {
        fresh.close();
        setStoreGone(wasGone);
      }
    },
    get isAlive() {
      return isAlive;
    },
    get alarms() {
      return runnerClock.pending;
    },
    setStoreGone,
    get isStoreGone() {
      return isStoreGone;
    },
    die() {
      if (!isAlive) return;
      isAlive = false;
      runnerClock.kill();
      supervisor.serverDied();
      setStoreGone(true);
    },
    async bury() {
      reader.close();
      const closed = store.close();
      let isClosed = false;
      void closed.then(() => (isClosed = true));
      while (!isClosed) {
        storeClock.ringAll();
        await turn();
      }
      storeClock.kill();
      setStoreGone(false);
    },
    async close() {
      isAlive = false;
      reader.close();
      await store.close();
    },
  };
}

/** Lets what is ready have its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function simulatedConfig(dataDir: string): Config {
  const parsed = parseConfig({ HEADWAY_DATA_DIR: dataDir, HOME: "/simulated", ...simulatedLimits });
  if (parsed.kind === "bad") throw new Error(parsed.message);
  return parsed.config;
}

/** The rest of the machine has no ways of its own: every folder is there, and logs go nowhere. */
function runnerMachine(supervisor: Supervisor, machine: Machine): RunnerMachine {
  const check = async (path: string) => ({ kind: "ok" as const, realPath: path });
  const nothing = async () => null;
  return {
    supervisor,
    workspaces: {
      roots: [folderOf("")],
      check,
      listFolders: nothing,
      makeFolder: (parent, name) => check(`${parent}/${name}`),
    },
    rawLogs: {
      open: () => ({ line() {}, stderr() {}, close: async () => {} }),
      read: nothing,
      readPiece: nothing,
      onGrown: () => () => {},
      remove: async () => {},
      removeStray: async () => 0,
      removeOld: async () => 0,
      bytes: 0,
    },
    versions: { read: nothing, peek: nothing },
    readFreeBytes: () => machine.freeBytes,
  };
}

interface GuardOptions {
  isAlive(): boolean;
  touched(): void;
  machine: Machine;
}

/** The store as a server sees it: once the server is dead no answer reaches it any more. */
function guardStore(store: Store, { isAlive, touched, machine }: GuardOptions): Store {
  const guarded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(store)) guarded[name] = guard(value);
  function guard(value: unknown): unknown {
    if (typeof value !== "function") return value;
    return (...args: unknown[]) => {
      const answer: unknown = (value as (...args: unknown[]) => unknown)(...args);
      if (!(answer instanceof Promise)) return answer;
      touched();
      return answer.then(
        (result) => (touched(), isAlive() ? result : never),
        (error: unknown) => {
          touched();
          if (isAlive()) throw error;
          return never;
        },
      );
    };
  }
  const recordProcess = guarded["recordProcess"] as Store["recordProcess"];
  guarded["recordProcess"] = async (held: Parameters<Store["recordProcess"]>[0]) => {
    const answer = await recordProcess(held);
    if (answer === "ok") machine.takeCustody(held.processId, held.conversationId);
    return answer;
  };
  return guarded as unknown as Store;
}
