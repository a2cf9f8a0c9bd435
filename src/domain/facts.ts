import type { Cli, CommMode } from "./agent.ts";
import type { BreakerReason, BreakerState } from "./breaker.ts";
import type { RunErrorCode } from "./error-codes.ts";
import type { TerminalState } from "./run-state.ts";

/** What the clock starts. */
export type JobName =
  | "damage"
  | "idempotency"
  | "logins"
  | "processes"
  | "sessions"
  | "answer_html"
  | "raw_logs"
  | "old_logs"
  | "run_events"
  | "quarantine";

/** Everything that our own system reports about itself. Closed: telemetry handles each or names it as ignored. */
export type Fact =
  | { type: "server.started"; epoch: number; containment: string; startMs: number }
  /** The self-test has ended, or an earlier start's holds. */
  | {
      type: "containment.tested";
      rung: string;
      status: "full" | "degraded" | "unknown";
      because: string | null;
      survivors: number;
      cached: boolean;
      tookMs: number;
    }
  | { type: "server.draining"; reason: string }
  | { type: "server.stopped" }
  | {
      type: "recovery.done";
      interrupted: number;
      reaped: number;
      quarantined: number;
      queued: number;
      tookMs: number;
    }
  | { type: "agent.created" | "agent.changed" | "agent.deleted"; agentId: string }
  | { type: "run.admitted"; runId: string; agentId: string; cli: Cli; mode: CommMode }
  | { type: "run.refused"; agentId: string; code: string }
  | { type: "run.started"; runId: string; agentId: string; cli: Cli; queueMs: number }
  | { type: "run.first_output"; runId: string; cli: Cli; tookMs: number }
  | {
      type: "run.settled";
      runId: string;
      agentId: string;
      conversationId: string;
      cli: Cli;
      mode: CommMode;
      warm: boolean;
      state: TerminalState;
      code: RunErrorCode | null;
      durationMs: number;
      /** Time between Headway's own steps: what the CLI itself did not spend. */
      overheadMs: number;
      survivors: number;
      peakRssBytes: number | null;
      cpuMs: number | null;
    }
  | {
      type: "breaker.changed";
      agentId: string;
      from: BreakerState;
      to: BreakerState;
      reason: BreakerReason;
      code: RunErrorCode | null;
      /** When one run may probe; null unless it is open now. */
      retryAt: string | null;
    }
  | { type: "agent.quarantined"; agentId: string; survivors: number }
  | { type: "agent.released"; agentId: string }
  | { type: "cancel.done"; runId: string; tookMs: number; survivors: number }
  | { type: "process.spawned"; processId: string; cli: Cli; pid: number; containment: string; tookMs: number }
  | {
      type: "process.ended";
      processId: string;
      cli: Cli;
      reason: string;
      exitCode: number | null;
      signal: string | null;
    }
  | { type: "process.survived"; processId: string; cli: Cli; count: number }
  | { type: "warm.kept"; processId: string; cli: Cli }
  | { type: "warm.reused"; processId: string; cli: Cli }
  | {
      type: "warm.evicted";
      processId: string;
      cli: Cli;
      reason: "idle" | "room" | "memory" | "ended" | "unhealthy" | "changed";
    }
  /** A process had to wait before it could be started: for its turn, or for memory. */
  | {
      type: "start.waited";
      cli: Cli;
      reason: "turn" | "memory";
      outcome: "entered" | "stopped" | "no_memory";
      tookMs: number;
    }
  /** `detail` is at most 200 characters: for `unknown_event` the type that isn't known. */
  | {
      type: "anomaly.seen";
      cli: Cli;
      cliVersion: string | null;
      code: string;
      detail: string;
      count: number;
    }
  | { type: "commit.done"; durable: boolean; jobs: number; tookMs: number }
  | { type: "store.failed"; code: string; message: string }
  | { type: "store.recovered" }
  | { type: "job.done"; job: JobName; removed: number; tookMs: number }
  | { type: "job.failed"; job: JobName; error: string }
  | { type: "stream.opened" }
  | {
      type: "stream.closed";
      reason: "ended" | "gone" | "slow" | "half_closed" | "shutdown" | "aged" | "logged_out";
    }
  | { type: "login.made" }
  | { type: "login.refused" }
  | { type: "request.done"; method: string; route: string; status: number; tookMs: number }
  | { type: "request.failed"; route: string; requestId: string; error: string };

export type FactType = Fact["type"];
export type PublishFact = (fact: Fact) => void;

export interface FactBus {
  publish: PublishFact;
  subscribe(listener: (fact: Fact) => void): () => void;
}

/** Delivers in order, in the publisher's tick. A listener that throws is a bug, but not the publisher's. */
export function createFactBus(onListenerError: (error: unknown) => void): FactBus {
  const listeners = new Set<(fact: Fact) => void>();
  return {
    publish(fact) {
      for (const listener of listeners) deliver(listener, fact, onListenerError);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function deliver(listener: (fact: Fact) => void, fact: Fact, onError: (error: unknown) => void): void {
  try {
    listener(fact);
  } catch (error) {
    onError(error);
  }
}
