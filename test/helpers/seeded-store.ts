import { join } from "node:path";
import { systemClock } from "../../src/domain/clock.ts";
import type { AgentSettings } from "../../src/domain/agent.ts";
import type { RunEventBody } from "../../src/domain/event.ts";
import type { Admission, Settlement } from "../../src/domain/ports.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { sampleCode, sampleMarkdown, sampleProse } from "./sample-markdown.ts";

export interface SeededAgent {
  id: string;
  /** An even number: questions and answers. */
  turns: number;
}

/** Runs that are written together: the store takes 10,000 waiting writes and no more. */
const runsAtOnce = 400;
const firstAtMs = Date.parse("2026-06-01T08:00:00Z");
/** A run begins so long after the one before. */
const everyMs = 60_000;
const durationMs = 20_000;
/** The first start of a run that was never taken back has this fence. */
const firstFence = 1;

/**
 * Fills a data directory as servers would have over months, through the store's own functions, so that every
 * rule of the data holds. Resolves with each agent's conversation, the one that it is in.
 */
export async function seedStore(
  dataDir: string,
  agents: readonly SeededAgent[],
): Promise<Record<string, string>> {
  const opened = openStore({
    dataDir,
    migrationsDir: join(import.meta.dir, "../../migrations"),
    clock: systemClock,
    publish: () => undefined,
    bootId: "seeded",
    pid: process.pid,
  });
  if (opened.kind === "refused") throw new Error(opened.message);
  const { store } = opened;
  try {
    for (const agent of agents) await seedAgent(store, agent);
  } finally {
    await store.close();
  }
  return Object.fromEntries(agents.map(({ id }) => [id, conversationIdOf(id)]));
}

function conversationIdOf(agentId: string): string {
  return `conv_${idTail(agentId, 0)}`;
}

/** As long as real ones, which have 32 characters after the kind. */
function idTail(agentId: string, index: number): string {
  const agent = new Bun.CryptoHasher("sha256").update(agentId).digest("hex").slice(0, 22);
  return `${agent}${String(index).padStart(10, "0")}`;
}

async function seedAgent(store: Store, { id: agentId, turns }: SeededAgent): Promise<void> {
  await store.createAgent(settingsOf(agentId));
  if (turns === 0) return;
  const processId = `proc_${idTail(agentId, 0)}`;
  await store.recordProcess({
    processId,
    agentId,
    conversationId: conversationIdOf(agentId),
    identity: { pid: process.pid, pidStart: "1", bootId: "seeded", marker: processId },
    containment: "none",
    atMs: firstAtMs,
  });
  for (let from = 0; from < turns / 2; from += runsAtOnce) {
    const count = Math.min(runsAtOnce, turns / 2 - from);
    await Promise.all(Array.from({ length: count }, (_, at) => seedRun(store, agentId, from + at)));
  }
  const end = { reason: "seeded", exitCode: 0, signal: null };
  await store.recordProcessEnd(processId, { ...end, atMs: firstAtMs + (turns / 2) * everyMs });
}

/** Queues all writes of one run at once; they are done in this order. */
async function seedRun(store: Store, agentId: string, index: number): Promise<void> {
  const runId = `run_${idTail(agentId, index)}`;
  const atMs = firstAtMs + index * everyMs;
  const held = { runId, fence: firstFence };
  const { events, settlement } = sampleRun(idTail(agentId, index), index);
  const [admitted, begun, appended, settled] = await Promise.all([
    store.admit(admissionOf(agentId, index, atMs)),
    store.begin({ ...held, processId: `proc_${idTail(agentId, 0)}`, warm: index > 0, atMs: atMs + 5 }),
    store.append(runId, firstFence, events, atMs + 900),
    store.settle({ ...held, ...settlement, endedAtMs: atMs + durationMs }),
  ]);
  const isWritten = begun === "ok" && appended === "ok" && settled !== "stale";
  if (!isWritten) throw new Error(`${runId} could not be seeded: ${JSON.stringify({ admitted, begun })}`);
}

function settingsOf(id: string): AgentSettings {
  const at = new Date(firstAtMs).toISOString();
  return {
    id,
    cli: "claude",
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
    createdAt: at,
    updatedAt: at,
  };
}

function admissionOf(agentId: string, index: number, atMs: number): Admission {
  const tail = idTail(agentId, index);
  return {
    runId: `run_${tail}`,
    userTurnId: `turn_${tail.slice(1)}u`,
    agentId,
    conversationId: null,
    newConversationId: conversationIdOf(agentId),
    newCliSessionId: crypto.randomUUID(),
    prompt: `${sampleProse(numberOf(tail), 1 + (index % 3))} (${index})`,
    promptHoles: [],
    timeoutMs: null,
    metadata: {},
    mode: "headless",
    retryOf: null,
    idempotency: null,
    queueLimit: 1,
    isDraining: () => false,
    mayClaim: () => true,
    atMs,
  };
}

function numberOf(tail: string): number {
  return Bun.hash.crc32(tail);
}

type Sample = { events: RunEventBody[]; settlement: Omit<Settlement, "runId" | "fence" | "endedAtMs"> };

/** Most answers are short, every fourth run uses tools, and one of 25 fails on its way. */
function sampleRun(tail: string, index: number): Sample {
  const number = numberOf(tail);
  const content = sampleMarkdown(
    number,
    [300, 700, 500, 2_000, 400, 600, 3_000, 500, 800, 7_000][index % 10]!,
  );
  const hasFailed = index % 25 === 24;
  const said = hasFailed ? content.slice(0, content.length / 2) : content;
  const tools = index % 4 === 3 ? sampleTools(number) : [];
  const session = { type: "session", cliSessionId: "seeded", model: "claude-fake-1" } as const;
  return {
    events: [session, ...tools, ...piecesOf(said)],
    settlement: {
      state: hasFailed ? "failed" : "succeeded",
      error: hasFailed ? { code: "overloaded", message: "API Error: 529 Overloaded" } : null,
      note: { firstOutputAtMs: firstAtMs + index * everyMs + 800, model: "claude-fake-1" },
      lastEvents: [],
      content: said,
      contentFinal: !hasFailed,
      assistantTurnId: `turn_${tail.slice(1)}a`,
      usage: { inputTokens: 2_500, outputTokens: said.length >> 2, cacheReadTokens: 0, cacheWriteTokens: 0 },
      costUsd: 0.0123,
      toolNames: tools.length > 0 ? ["Read", "Edit", "Bash"] : [],
      anomalies: [],
      exitCode: null,
      signal: null,
      peakRssBytes: 180_000_000,
      cpuMs: 900,
      survivors: 0,
      durationMs,
    },
  };
}

function sampleTools(number: number): RunEventBody[] {
  const [before, after] = [sampleCode(number, "ts", 1), sampleCode(number + 1, "ts", 1)];
  const uses = [
    {
      name: "Read",
      input: { file_path: "src/queue.ts" },
      output: sampleCode(number, "ts", 3),
      isError: false,
    },
    {
      name: "Edit",
      input: { file_path: "src/queue.ts", old_string: before, new_string: after },
      output: "The file has been updated.",
      isError: false,
    },
    {
      name: "Bash",
      input: { command: "npm test", description: "Run the tests" },
      output: sampleProse(number, 12),
      isError: number % 3 === 0,
    },
  ];
  return uses.flatMap(({ name, input, output, isError }, index) => {
    const toolId = `toolu_${number.toString(36)}_${index}`;
    return [
      { type: "tool.started", toolId, name, input },
      { type: "tool.finished", toolId, isError, output },
    ] as const;
  });
}

/** As a log has them: a few words each, since those that came during a commit are joined. */
function piecesOf(text: string): RunEventBody[] {
  const pieces = text.match(/[\s\S]{1,120}/g) ?? [];
  return pieces.map((piece) => ({ type: "text", text: piece, block: 0 }));
}
