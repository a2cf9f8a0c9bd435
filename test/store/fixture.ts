import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkIntegrity } from "../../src/integrity/check.ts";
import { systemClock } from "../../src/domain/clock.ts";
import type { AgentSettings } from "../../src/domain/agent.ts";
import type { Fact } from "../../src/domain/facts.ts";
import type {
  Admission,
  ClaimedRun,
  ConversationFilter,
  PageRequest,
  Settlement,
} from "../../src/domain/ports.ts";
import type { Run } from "../../src/domain/run.ts";
import { openStore, type Store } from "../../src/store/store.ts";

export const migrationsDir = join(import.meta.dir, "../../migrations");

/** A directory that is gone when the scope ends. */
export function temporaryDir(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "headway-store-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface TestStore extends AsyncDisposable {
  store: Store;
  dataDir: string;
  facts: Fact[];
  /** Closes the store and opens its directory again, as the next server would. */
  reopen(): Promise<void>;
  /** Rules that the data breaks now. */
  violations(options?: { recovered?: boolean }): string[];
}

export function storeOptions(dataDir: string, facts: Fact[] = []) {
  const publish = (fact: Fact) => void facts.push(fact);
  return { dataDir, migrationsDir, clock: systemClock, publish, bootId: "boot", pid: process.pid };
}

function open(dataDir: string, facts: Fact[]): Store {
  const result = openStore(storeOptions(dataDir, facts));
  if (result.kind === "refused") throw new Error(result.message);
  return result.store;
}

export function openTestStore(): TestStore {
  const dir = temporaryDir();
  const facts: Fact[] = [];
  const test: TestStore = {
    store: open(dir.path, facts),
    dataDir: dir.path,
    facts,
    async reopen() {
      await test.store.close();
      test.store = open(dir.path, facts);
    },
    violations: (options) => violationsOf(test.store, options),
    async [Symbol.asyncDispose]() {
      await test.store.close();
      dir[Symbol.dispose]();
    },
  };
  return test;
}

/** Ids of the invariants that don't hold. */
export function violationsOf(store: Pick<Store, "openReader">, { recovered = true } = {}): string[] {
  const reader = store.openReader();
  try {
    const { checks } = checkIntegrity(reader, { recovered, clock: systemClock });
    return checks.flatMap((check) => check.violations.map((violation) => `${check.id}: ${violation}`));
  } finally {
    reader.close();
  }
}

/** What a promise was rejected with; its value when it wasn't. */
export function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

let made = 0;
/** Ids in the order of their making; those of several processes differ. */
export function id(prefix: string): string {
  made += 1;
  return `${prefix}_${process.pid}_${String(made).padStart(8, "0")}`;
}

export const atMs = 1_800_000_000_000;
export const atIso = "2027-01-15T08:00:00.000Z";

export function settings(over: Partial<AgentSettings> = {}): AgentSettings {
  return {
    id: "ada",
    cli: "demo",
    acpAgent: null,
    commMode: "headless",
    cwd: "/srv/project",
    model: null,
    systemPrompt: null,
    permissionMode: "edit",
    filePolicy: "open",
    mcpConfigPath: null,
    timeoutMs: null,
    memoryLimitMb: null,
    metadata: {},
    createdAt: atIso,
    updatedAt: atIso,
    ...over,
  };
}

export function admission(over: Partial<Admission> = {}): Admission {
  return {
    runId: id("run"),
    userTurnId: id("turn"),
    agentId: "ada",
    conversationId: null,
    newConversationId: id("conv"),
    newCliSessionId: id("session"),
    prompt: "Say hello",
    promptHoles: [],
    timeoutMs: null,
    metadata: {},
    mode: "headless",
    retryOf: null,
    idempotency: null,
    queueLimit: 200,
    isDraining: () => false,
    mayClaim: () => true,
    atMs,
    ...over,
  };
}

/** The first page of all conversations, but for what is asked. */
export function wanted(
  over: Partial<PageRequest & ConversationFilter> = {},
): PageRequest & ConversationFilter {
  const everything = { agentId: null, words: null, cli: null, state: null, fromMs: null, toMs: null };
  return { limit: 10, cursor: null, ...everything, ...over };
}

/** Admits a run that waits. */
export async function queued(store: Pick<Store, "admit">, over: Partial<Admission> = {}): Promise<Run> {
  const result = await store.admit(admission({ mayClaim: () => false, ...over }));
  if (result.kind !== "admitted") throw new Error(JSON.stringify(result));
  return result.run;
}

/** Admits a run that starts at once. */
export async function starting(
  store: Pick<Store, "admit">,
  over: Partial<Admission> = {},
): Promise<ClaimedRun> {
  const result = await store.admit(admission(over));
  if (result.kind !== "admitted" || result.claimed === null) throw new Error(JSON.stringify(result));
  return result.claimed;
}

/** The process that each conversation was given last. */
const lastProcesses = new Map<string, string>();

/** Brings a claimed run to `running` in a process of its own; the conversation's last one has ended by then. */
export async function begun(
  store: Pick<Store, "recordProcess" | "recordProcessEnd" | "begin">,
  claimed: ClaimedRun,
): Promise<string> {
  const last = lastProcesses.get(claimed.conversationId);
  if (last) await store.recordProcessEnd(last, { reason: "turn_over", exitCode: 0, signal: null, atMs });
  const processId = id("proc");
  lastProcesses.set(claimed.conversationId, processId);
  const identity = { pid: 4242, pidStart: "99", bootId: "boot", marker: processId };
  const recorded = await store.recordProcess({
    processId,
    agentId: claimed.agent.id,
    conversationId: claimed.conversationId,
    identity,
    containment: "bwrap",
    atMs,
  });
  if (recorded !== "ok") throw new Error(recorded);
  const { runId, fence } = claimed;
  const outcome = await store.begin({ runId, fence, processId, warm: false, atMs: atMs + 1 });
  if (outcome !== "ok") throw new Error(outcome);
  return processId;
}

/** What the start of a server does with the processes of earlier ones. */
export async function reapStrays(
  store: Pick<Store, "listStrayProcesses" | "recordProcessEnd">,
): Promise<void> {
  for (const { processId } of store.listStrayProcesses()) {
    await store.recordProcessEnd(processId, { reason: "reaped", exitCode: null, signal: null, atMs });
  }
}

export async function running(
  store: Pick<Store, "admit" | "recordProcess" | "recordProcessEnd" | "begin">,
  over: Partial<Admission> = {},
): Promise<ClaimedRun> {
  const claimed = await starting(store, over);
  await begun(store, claimed);
  return claimed;
}

export function settlement(
  held: { runId: string; fence: number },
  over: Partial<Settlement> = {},
): Settlement {
  return {
    runId: held.runId,
    fence: held.fence,
    state: "succeeded",
    error: null,
    note: null,
    lastEvents: [],
    content: "Hello",
    contentFinal: true,
    assistantTurnId: id("turn"),
    usage: null,
    costUsd: null,
    toolNames: [],
    anomalies: [],
    exitCode: null,
    signal: null,
    peakRssBytes: null,
    cpuMs: null,
    survivors: 0,
    durationMs: 1_000,
    endedAtMs: atMs + 1_000,
    ...over,
  };
}

/** A whole run: asked, carried, answered. */
export async function answered(
  store: Store,
  over: Partial<Admission> = {},
  end: Partial<Settlement> = {},
): Promise<Run> {
  const claimed = await running(store, over);
  const run = await store.settle(settlement(claimed, end));
  if (run === "stale") throw new Error("stale");
  return run;
}

/** Many conversations at once, as an importer would write them: ended, each with these turns, in order. */
export function importConversations(
  at: Pick<TestStore, "dataDir">,
  conversations: readonly { id: string; turns: readonly string[]; updatedAtMs: number }[],
): void {
  const database = new Database(join(at.dataDir, "headway.db"), { strict: true });
  database.run("pragma busy_timeout = 2000");
  database.transaction(() => {
    for (const { id: conversationId, turns, updatedAtMs } of conversations) {
      database
        .query(
          `insert into conversations (id, agent_key, status, title, cli_session_id, created_at, updated_at)
           select :conversationId, key, 'ended', '', '', 1, :updatedAtMs from agents where id = 'ada'`,
        )
        .run({ conversationId, updatedAtMs });
      turns.forEach((content, index) => importTurn(database, { conversationId, content, seq: index + 1 }));
    }
  })();
  database.close();
}

function importTurn(
  database: Database,
  turn: { conversationId: string; content: string; seq: number },
): void {
  const role = turn.seq % 2 === 1 ? "user" : "assistant";
  database
    .query(
      `insert into turns (id, conversation_id, seq, role, content, final, source, created_at)
       values (:id, :conversationId, :seq, :role, :content, 1, 'import', 1)`,
    )
    .run({ id: id("turn"), role, ...turn });
}
