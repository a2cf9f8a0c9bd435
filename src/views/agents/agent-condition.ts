import type { Agent } from "../../domain/agent.ts";
import type { BreakerReport } from "../../domain/breaker.ts";
import { type RunErrorCode, runErrors } from "../../domain/error-codes.ts";
import type { RunEvent } from "../../domain/event.ts";
import type { AgentGlance } from "../../domain/ports.ts";
import type { TerminalState } from "../../domain/run-state.ts";
import type { CliFinding, CliNeed } from "../../runner/runner-api.ts";
import { inputSummary } from "../chat/answer-parts.ts";
import { countShown, plural } from "../wording.ts";

const summaryCharsMax = 100;

/** What is known of an agent when it is shown on the board. */
export interface AgentSight {
  agent: Agent;
  /** Null when nothing was read, of an agent that has just been made say. */
  glance: AgentGlance | null;
  /** Of the agent's CLI; null for one that the server doesn't look for. */
  finding: CliFinding | null;
  /** Its circuit breaker; null where it is as it was made, or wasn't read. */
  breaker: BreakerReport | null;
}

/** What a running agent is at. */
export type Activity =
  { what: "starting" | "working" | "thinking" | "writing" } | { what: "tool"; name: string; summary: string };

/** What a person needs to know of an agent first. */
export type Condition =
  | { kind: "quarantined" }
  | { kind: "running"; activity: Activity; runId: string; startedAt: string | null }
  /** Its circuit breaker is half open: one message is let through, and may be on its way. */
  | { kind: "probing"; run: Extract<Condition, { kind: "running" }> | null }
  /** It can't run before somebody has done something; it may rest meanwhile, as with an open breaker. */
  | { kind: "blocked"; need: CliNeed | null; runId: string | null; restsUntil: string | null }
  /** Its circuit breaker is open: it takes no messages until then. */
  | { kind: "breaker_open"; cause: BreakerReport["cause"]; restsUntil: string | null }
  | { kind: "failed"; runId: string; state: TerminalState; errorCode: RunErrorCode | null }
  /** Its next message waits for a free slot. */
  | { kind: "waiting" }
  | { kind: "idle" };

export function conditionOf(sight: AgentSight): Condition {
  const { agent, glance } = sight;
  if (agent.status === "quarantined") return { kind: "quarantined" };
  if (agent.activeRunId !== null) {
    const run = runningCondition(agent.activeRunId, glance);
    return agent.breaker.state === "half_open" ? { kind: "probing", run } : run;
  }
  return (
    blockedCondition(sight) ?? breakerCondition(sight) ?? failedCondition(glance) ?? restingCondition(agent)
  );
}

function breakerCondition({ agent, breaker }: AgentSight): Condition | null {
  if (agent.breaker.state === "closed") return null;
  if (agent.breaker.state === "half_open") return { kind: "probing", run: null };
  return { kind: "breaker_open", cause: breaker?.cause ?? null, restsUntil: agent.breaker.retryAt };
}

/** The run and the glance are read one after the other, so they may be of two runs. */
function runningCondition(
  runId: string,
  glance: AgentGlance | null,
): Extract<Condition, { kind: "running" }> {
  const active = glance?.active?.runId === runId ? glance.active : null;
  const activity: Activity =
    active === null || active.state === "starting" ? { what: "starting" } : activityOf(active.lastEvent);
  return { kind: "running", activity, runId, startedAt: active?.startedAt ?? null };
}

function activityOf(event: RunEvent | null): Activity {
  switch (event?.type) {
    case "text":
      return { what: "writing" };
    case "thinking":
      return { what: "thinking" };
    case "tool.started":
      return { what: "tool", name: event.name, summary: inputSummary(event.input, summaryCharsMax) };
    default:
      return { what: "working" };
  }
}

/** Where a run was carried, it has told whether somebody is signed in, whatever could be seen of that. */
function blockedCondition({ agent, glance, finding }: AgentSight): Condition | null {
  const last = glance?.lastRun ?? null;
  const restsUntil = agent.breaker.state === "open" ? agent.breaker.retryAt : null;
  if (last?.errorCode === "auth_required") {
    return { kind: "blocked", need: finding?.signIn ?? null, runId: last.runId, restsUntil };
  }
  const need = finding?.missing.find(({ what }) => what !== "sign_in" || last === null);
  return need ? { kind: "blocked", need, runId: null, restsUntil } : null;
}

function failedCondition(glance: AgentGlance | null): Condition | null {
  const last = glance?.lastRun ?? null;
  if (last === null || last.state === "succeeded" || last.state === "cancelled") return null;
  return { kind: "failed", runId: last.runId, state: last.state, errorCode: last.errorCode };
}

function restingCondition({ queueLength }: Agent): Condition {
  return { kind: queueLength > 0 ? "waiting" : "idle" };
}

/** What stands in the way, in a sentence or two. */
export function needShown(need: CliNeed | null): string {
  return need?.advice ?? runErrors.auth_required.advice;
}

const ranks: Record<Condition["kind"], number> = {
  quarantined: 0,
  blocked: 0,
  breaker_open: 0,
  failed: 0,
  probing: 1,
  running: 1,
  waiting: 2,
  idle: 3,
};

/** First what needs a person, then what runs, then what waits; within each the newest first. */
export function inBoardOrder(sights: readonly AgentSight[]): AgentSight[] {
  return sights
    .map((sight) => ({ sight, rank: ranks[conditionOf(sight).kind], movedAt: movedAt(sight) }))
    .toSorted((a, b) => a.rank - b.rank || (a.movedAt < b.movedAt ? 1 : a.movedAt > b.movedAt ? -1 : 0))
    .map(({ sight }) => sight);
}

function movedAt({ agent, glance }: AgentSight): string {
  return glance?.active?.startedAt ?? glance?.lastRun?.endedAt ?? agent.createdAt;
}

/** What all agents are doing, in numbers. */
export interface Tally {
  agents: number;
  running: number;
  /** Messages, not agents. */
  waiting: number;
  failed: number;
  blocked: number;
  quarantined: number;
  breakerOpen: number;
  probing: number;
}

export interface Counted {
  kind: Condition["kind"];
  queueLength: number;
}

export function tallyOf(counted: readonly Counted[]): Tally {
  const count = (kind: Condition["kind"]) => counted.filter((one) => one.kind === kind).length;
  return {
    agents: counted.length,
    running: count("running"),
    waiting: counted.reduce((sum, { queueLength }) => sum + queueLength, 0),
    failed: count("failed"),
    blocked: count("blocked"),
    quarantined: count("quarantined"),
    breakerOpen: count("breaker_open"),
    probing: count("probing"),
  };
}

/** "5 agents: 2 running, 3 waiting, 1 failed". */
export function tallyShown(tally: Tally): string {
  const { agents, running, waiting, failed, blocked, quarantined, breakerOpen, probing } = tally;
  const parts = [
    running > 0 && `${countShown(running)} running`,
    probing > 0 && `${countShown(probing)} probing`,
    waiting > 0 && `${countShown(waiting)} waiting`,
    failed > 0 && `${countShown(failed)} failed`,
    blocked > 0 && `${countShown(blocked)} ${blocked === 1 ? "needs" : "need"} a person`,
    quarantined > 0 && `${countShown(quarantined)} quarantined`,
    breakerOpen > 0 && `${countShown(breakerOpen)} with an open breaker`,
  ].filter((part) => part !== false);
  return `${plural(agents, "agent")}${parts.length > 0 ? `: ${parts.join(", ")}` : ", idle"}`;
}
