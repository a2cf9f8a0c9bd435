import type { Agent } from "../../src/domain/agent.ts";
import type { ConversationHead, Turn } from "../../src/domain/conversation.ts";
import type { RunEvent, RunEventBody } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";

const at = "2026-11-22T10:00:00.000Z";

/** An idle demo agent, but for what is given. */
export function anAgent(given: Partial<Agent> = {}): Agent {
  return {
    id: "helper",
    cli: "demo",
    acpAgent: null,
    commMode: "headless",
    cwd: "/work/space",
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
    effectiveMode: "headless",
    status: "idle",
    queueLength: 0,
    activeRunId: null,
    activeConversationId: null,
    breaker: { state: "closed", failures: 0, retryAt: null },
    warm: false,
    ...given,
  };
}

/** A run that succeeded, but for what is given. */
export function aRun(given: Partial<Run> = {}): Run {
  return {
    id: "run_1",
    agentId: "helper",
    conversationId: "conv_1",
    userTurnId: "turn_1",
    state: "succeeded",
    mode: "headless",
    transport: { warm: false },
    queuePosition: null,
    prompt: "hello",
    content: "hi",
    contentFinal: true,
    error: null,
    cli: "demo",
    cliVersion: "1.0.0",
    cliSessionId: null,
    model: null,
    usage: null,
    costUsd: null,
    toolNames: [],
    exitCode: null,
    signal: null,
    anomalies: [],
    queuedAt: at,
    startedAt: at,
    firstOutputAt: at,
    endedAt: at,
    queueMs: 1,
    durationMs: 2,
    peakRssBytes: null,
    cpuMs: null,
    survivors: 0,
    retryOf: null,
    metadata: {},
    eventsRemovedAt: null,
    logRemovedAt: null,
    ...given,
  };
}

/** A user's turn in its place, but for what is given. */
export function aTurn(given: Partial<Turn> = {}): Turn {
  return {
    id: "turn_1",
    conversationId: "conv_1",
    runId: "run_1",
    seq: 1,
    pending: false,
    role: "user",
    content: "hello",
    final: true,
    source: "headless",
    createdAt: at,
    ...given,
  };
}

/** An active conversation of two turns, but for what is given. */
export function aConversation(given: Partial<ConversationHead> = {}): ConversationHead {
  return {
    id: "conv_1",
    agentId: "helper",
    cli: "demo",
    cliSessionId: null,
    status: "active",
    title: "hello",
    turnCount: 2,
    createdAt: at,
    updatedAt: at,
    ...given,
  };
}

/** The log of a run, with its seqs. */
export function eventsOf(runId: string, bodies: readonly RunEventBody[]): RunEvent[] {
  return bodies.map((body, index) => ({ seq: index + 1, runId, at, ...body }));
}
