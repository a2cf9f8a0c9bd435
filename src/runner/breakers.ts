import {
  type Breaker,
  type BreakerReport,
  breakerReportOf,
  type BreakerSettings,
  isPristine,
  type StoredBreakerChange,
} from "../domain/breaker.ts";
import { decideBreaker } from "../domain/breaker-decider.ts";
import { type Clock, isoTimeOrNull } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import type { BreakerStore } from "../domain/hold-ports.ts";
import { StoreUnavailable } from "../domain/ports.ts";
import { createBreakerAlarms } from "./breaker-alarms.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Wakeups } from "./runner-api.ts";
import { unlessStoreFails } from "./store-failure.ts";

export interface BreakersOptions {
  store: BreakerStore;
  dispatcher: Pick<Dispatcher, "hold" | "release">;
  settings: BreakerSettings;
  clock: Clock;
  publish: PublishFact;
  wakeups: Wakeups;
}

/** Breakers while the server runs. What they are stands in the store, which moves them; here it is acted upon. */
export interface Breakers {
  /** Takes up what an earlier server left, before its queue is taken up. */
  restore(): Promise<void>;
  /**
   * To be called after each commit that may have moved the agent's breaker: holds or releases the agent's line, sets
   * the alarm, and tells what has moved.
   */
  follow(agentId: string): void;
  /** Closes it; rejects with `StoreUnavailable`. */
  reset(agentId: string): Promise<BreakerReport>;
  /** The agent was deleted. */
  forget(agentId: string): void;
  /** When to come again. */
  retryAfterSeconds(breaker: Breaker): number;
  list(): BreakerReport[];
  reportOf(agentId: string): BreakerReport | null;
  counts(): { open: number; halfOpen: number };
  /** No alarm rings any more. */
  stop(): void;
}

/** Breakers in one list, and changes with each. */
const listedMax = 500;
const changesShownMax = 20;
const changesReadMax = 100;
/** Agents whose breakers are taken up after a restart. */
const restoredMax = 100_000;
/** How long to wait before a move is tried again that the store refused. */
const moveRetryMs = 1_000;
/** What a probe that is under way may take: nobody knows. */
const probeSeconds = 5;

export function createBreakers(options: BreakersOptions): Breakers {
  const { store, dispatcher, settings, clock } = options;
  /** Those that aren't closed, as they were when they were looked at last. */
  const known = new Map<string, Breaker>();
  /** The number of the newest change that was told, by agent. */
  const told = new Map<string, number>();
  const alarms = createBreakerAlarms(clock, (agentId, retryAtMs) => void halfOpen(agentId, retryAtMs));

  function remember(breaker: Breaker): void {
    const { agentId, state, retryAtMs } = breaker;
    if (state === "closed") known.delete(agentId);
    else known.set(agentId, breaker);
    if (retryAtMs !== null) {
      dispatcher.hold(agentId, "breaker");
      alarms.set(agentId, retryAtMs);
    } else letGo(agentId);
  }
  function letGo(agentId: string): void {
    alarms.stop(agentId);
    dispatcher.release(agentId, "breaker");
  }
  async function halfOpen(agentId: string, retryAtMs: number): Promise<void> {
    try {
      const due = { kind: "retry_due", retryAtMs, atMs: clock.wallMs() } as const;
      await store.moveBreaker(agentId, due, settings);
      follow(agentId);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      if (known.get(agentId)?.retryAtMs === retryAtMs) alarms.setIn(agentId, retryAtMs, moveRetryMs);
    }
  }
  function follow(agentId: string): void {
    const breaker = store.findBreaker(agentId);
    const before = known.get(agentId);
    const isMoved =
      breaker.state !== (before?.state ?? "closed") || breaker.retryAtMs !== (before?.retryAtMs ?? null);
    if (!isMoved) return;
    remember(breaker);
    tellNews(breaker);
  }
  function tellNews({ agentId, retryAtMs }: Breaker): void {
    const untold = changesAfter(agentId, told.get(agentId) ?? 0);
    for (const { key, from, to, reason, code } of untold) {
      told.set(agentId, key);
      const retryAt = to === "open" ? isoTimeOrNull(retryAtMs) : null;
      options.publish({ type: "breaker.changed", agentId, from, to, reason, code, retryAt });
    }
    options.wakeups.announce({ runId: "", agentId });
  }
  /** The oldest first. */
  function changesAfter(agentId: string, key: number): StoredBreakerChange[] {
    const changes = store.listBreakerChanges(agentId, changesReadMax);
    return changes.filter((change) => change.key > key).toReversed();
  }
  async function takeUp({ agentId }: Breaker): Promise<void> {
    const [newest] = store.listBreakerChanges(agentId, 1);
    if (newest) told.set(agentId, newest.key);
    const start = { kind: "server_started", atMs: clock.wallMs() } as const;
    const breaker = store.findBreaker(agentId);
    const decided = decideBreaker(breaker, start, settings).breaker;
    const isMoved = decided.state !== breaker.state || decided.retryAtMs !== breaker.retryAtMs;
    if (isMoved) await unlessStoreFails(store.moveBreaker(agentId, start, settings));
    remember(store.findBreaker(agentId));
  }
  const reportOf = (breaker: Breaker) =>
    breakerReportOf(breaker, store.listBreakerChanges(breaker.agentId, changesShownMax));
  return {
    async restore() {
      for (const breaker of store.listBreakers(restoredMax)) await takeUp(breaker);
    },
    follow,
    async reset(agentId) {
      await store.moveBreaker(agentId, { kind: "reset", atMs: clock.wallMs() }, settings);
      follow(agentId);
      return reportOf(store.findBreaker(agentId));
    },
    forget(agentId) {
      known.delete(agentId);
      told.delete(agentId);
      letGo(agentId);
    },
    retryAfterSeconds({ agentId, retryAtMs }) {
      if (retryAtMs === null) return probeSeconds;
      const leftMs = Math.min(retryAtMs - clock.wallMs(), alarms.leftMs(agentId) ?? Infinity);
      return Math.max(1, Math.ceil(leftMs / 1_000));
    },
    list: () => store.listBreakers(listedMax).map(reportOf),
    reportOf(agentId) {
      const breaker = store.findBreaker(agentId);
      const report = reportOf(breaker);
      return isPristine(breaker) && report.changes.length === 0 ? null : report;
    },
    counts() {
      const states = [...known.values()].map(({ state }) => state);
      const open = states.filter((state) => state === "open").length;
      return { open, halfOpen: states.length - open };
    },
    stop: alarms.stopAll,
  };
}
