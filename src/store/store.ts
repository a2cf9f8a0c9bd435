import type { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Clock } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import type { BreakerStore, QuarantineStore } from "../domain/hold-ports.ts";
import type { AnswerHtmlStore } from "../domain/answer-html.ts";
import type { ContainmentTestStore } from "../domain/containment-report.ts";
import type { Logins } from "../domain/login.ts";
import type {
  AgentGlances,
  AgentStore,
  ConversationLog,
  ConversationStore,
  Custody,
  Recovery,
  RunLog,
  RunPageReads,
  RunReads,
  StoreUnavailable,
} from "../domain/ports.ts";
import type { Sweeps } from "../domain/retention.ts";
import { glancesOf } from "./agent-glances.ts";
import { createAgentStore } from "./agent-store.ts";
import { createBreakerStore } from "./breaker-store.ts";
import { createAnswerHtmlStore } from "./answer-html-store.ts";
import { createCommitQueue } from "./commit-queue.ts";
import { createConversationStore } from "./conversation-store.ts";
import { createContainmentTestStore } from "./containment-tests.ts";
import { createCustody } from "./custody.ts";
import { createDamageWatch } from "./damage-watch.ts";
import { makeDataDir, neverWaitLong, openDatabase, openReader, watchFile, type Opened } from "./database.ts";
import { endEpoch, insertEpoch, touchEpoch } from "./epochs.ts";
import { storageFailure } from "./failures.ts";
import { acquireDataDir, type DataDirLock } from "./lock.ts";
import { createLoginStore } from "./login-store.ts";
import { migrate, readMigrations } from "./migrate.ts";
import { finishRemovals } from "./removal.ts";
import { createRunLog } from "./run-log.ts";
import { createRunPageReads } from "./run-page-reads.ts";
import { createSweeps } from "./sweeps.ts";

export interface Store
  extends
    RunLog,
    Custody,
    Recovery,
    BreakerStore,
    QuarantineStore,
    ConversationLog,
    AgentStore,
    AgentGlances,
    ConversationStore,
    AnswerHtmlStore,
    RunReads,
    RunPageReads,
    Sweeps,
    ContainmentTestStore,
    Logins {
  /** This server's epoch: what older ones held can't be written any more. */
  readonly epoch: number;
  /** Where the database is, for connections of workers and checks. */
  readonly path: string;
  health(): StoreHealth;
  /**
   * Has every page of the file looked at beside all other work, which may take seconds; `health` tells what was
   * found. Nothing is repaired.
   */
  lookForDamage(signal: AbortSignal): Promise<void>;
  /** A connection that can't write; the caller closes it. */
  openReader(): Database;
  /** Waits for what is under way, notes the clean stop and gives the data directory free. Idempotent. */
  close(): Promise<void>;
}

export type StoreHealth = { kind: "ok" } | { kind: "failed"; code: string; message: string };

export interface StoreOptions {
  dataDir: string;
  migrationsDir: string;
  clock: Clock;
  publish: PublishFact;
  bootId: string;
  pid: number;
}

export type OpenStoreResult =
  | { kind: "opened"; store: Store }
  /** 75: another server owns the data directory. 78: the database isn't ours, is damaged or newer. */
  | { kind: "refused"; exitCode: 75 | 78; message: string };

/**
 * Opens the data directory for this server alone, migrates the database and begins a new epoch. Throws what the
 * system or SQLite says of a directory that can't be used; `refusalOfOpening` puts that in words.
 */
export function openStore(options: StoreOptions): OpenStoreResult {
  makeDataDir(options.dataDir);
  const taken = acquireDataDir(options.dataDir);
  if (taken.kind === "taken") {
    const message = `another server is using ${options.dataDir}: stop it, or choose another HEADWAY_DATA_DIR`;
    return { kind: "refused", exitCode: 75, message };
  }
  if (taken.kind === "refused") return { kind: "refused", exitCode: 78, message: taken.message };
  using stack = new DisposableStack();
  stack.defer(taken.lock.release);
  const opened = openMigrated(options);
  if (opened.kind === "refused") return { kind: "refused", exitCode: 78, message: opened.message };
  stack.defer(() => opened.opened.database.close());
  const store = composeStore(opened.opened, taken.lock, options);
  stack.move();
  return { kind: "opened", store };
}

function openMigrated(
  options: StoreOptions,
): { kind: "opened"; opened: Opened } | { kind: "refused"; message: string } {
  const result = openDatabase(options.dataDir);
  if (result.kind === "refused") return result;
  const { database, path } = result.opened;
  const backupsDir = join(options.dataDir, "backups");
  try {
    const migrations = readMigrations(options.migrationsDir);
    const migrated = migrate(database, migrations, { backupsDir, atMs: options.clock.wallMs() });
    if (migrated.kind === "migrated") return result;
    database.close();
    return { kind: "refused", message: `${path} ${migrated.message}` };
  } catch (error) {
    database.close();
    throw error;
  }
}

function composeStore({ database, path }: Opened, lock: DataDirLock, options: StoreOptions): Store {
  const { clock, publish, bootId, pid } = options;
  const epoch = insertEpoch(database, { bootId, pid, atMs: clock.wallMs() });
  neverWaitLong(database);
  const checkFile = watchFile(path);
  const damage = createDamageWatch(path, publish);
  const probe = () => touchEpoch(database, epoch, clock.wallMs());
  const queue = createCommitQueue({ database, clock, publish, checkFile, probe });
  const closing = new AbortController();
  const background = finishRemovals(database, queue, clock, () => closing.signal.aborted).catch(
    leaveForNextStart,
  );

  async function stop(): Promise<void> {
    closing.abort();
    await background;
    await queue.drained();
    queue.stop();
    if (checkFile() === null) endCleanly(database, epoch, clock.wallMs());
    database.close();
    lock.release();
  }

  let closed: Promise<void> | null = null;
  return {
    epoch,
    path,
    ...createRunLog(database, queue, epoch),
    ...createRunPageReads(database),
    ...createCustody(database, queue, epoch),
    ...createBreakerStore(database, queue),
    ...createAgentStore(database, queue),
    ...createConversationStore(database, queue, clock, () => closing.signal.aborted),
    ...createAnswerHtmlStore(database, queue),
    ...createLoginStore(database, queue),
    ...createContainmentTestStore(database, queue),
    ...createSweeps(database, queue),
    glancesOf: (agentIds) => glancesOf(database, agentIds),
    health: () => healthOf(checkFile() ?? damage.found() ?? queue.failure()),
    lookForDamage: damage.look,
    openReader: () => openReader(path),
    close: () => (closed ??= stop()),
  };
}

/** A removal that can't go on now is finished by the next server. */
function leaveForNextStart(error: unknown): void {
  if (storageFailure(error) === null) throw error;
}

/** A disk that takes no writes any more doesn't keep the server from stopping. */
function endCleanly(database: Database, epoch: number, atMs: number): void {
  try {
    endEpoch(database, epoch, atMs);
  } catch (error) {
    if (storageFailure(error) === null) throw error;
  }
}

function healthOf(failure: StoreUnavailable | null): StoreHealth {
  return failure === null ? { kind: "ok" } : { kind: "failed", code: failure.code, message: failure.message };
}
