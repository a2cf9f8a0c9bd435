import type { Alarm, Clock } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import { anomalySeen, deafListener, isReusable, type SessionProcess } from "./session-process.ts";

export interface WarmPoolOptions {
  /** Idle processes kept, all agents; 0 keeps none. */
  processesMax: number;
  idleMs: number;
  clock: Clock;
  publish: PublishFact;
  /** Ends a process, proves its tree dead and records that; resolves with the survivors. */
  end: (session: SessionProcess, reason: string) => Promise<number>;
}

type EvictReason = "idle" | "room" | "memory" | "ended" | "unhealthy" | "changed";

/** CLI processes between the turns of their conversations, the least recently used one out first. */
export interface WarmPool {
  /** True when processes are kept at all. */
  readonly keepsAny: boolean;
  /**
   * The conversation's process if it is fit and was started under these settings. One that isn't is ended
   * first: two processes of one session would lose each other's turns. A number says that it could not be
   * ended, and how many processes of it are left.
   */
  take(conversationId: string, fingerprint: string): Promise<SessionProcess | null | number>;
  /** Takes a process back after its turn. */
  keep(session: SessionProcess): void;
  isWarm(conversationId: string | null): boolean;
  readonly size: number;
  /** Ends the one that has been idle for longest, for its memory; false when none is idle. */
  giveUpOldest(): Promise<boolean>;
  endConversation(conversationId: string): Promise<void>;
  endAgent(agentId: string): Promise<void>;
  stop(): Promise<void>;
}

interface Idle {
  session: SessionProcess;
  idleAlarm: Alarm;
  lateLook: Alarm;
}

/** When an idle process is looked at once more for what its last turn may have started too late to be seen. */
const lateLookMs = 250;
/** A process whose agent has the next run waiting is taken up again long before that. */
const trimAfterMs = 100;

export function createWarmPool(options: WarmPoolOptions): WarmPool {
  /** In order of last use: a Map keeps the order of insertion. */
  const idle = new Map<string, Idle>();
  const ending = new Map<string, Promise<number>>();
  let trimming: Alarm | null = null;

  function remove(conversationId: string): SessionProcess | null {
    const entry = idle.get(conversationId);
    if (!entry) return null;
    entry.idleAlarm.stop();
    entry.lateLook.stop();
    idle.delete(conversationId);
    return entry.session;
  }
  /** Resolves with the survivors. */
  async function evict(conversationId: string, reason: EvictReason): Promise<number> {
    const session = remove(conversationId);
    if (session) {
      const { id: processId, cli } = session.process;
      options.publish({ type: "warm.evicted", processId, cli, reason });
      const end = options.end(session, `warm_${reason}`).finally(() => ending.delete(conversationId));
      ending.set(conversationId, end);
    }
    return (await ending.get(conversationId)) ?? 0;
  }
  function trimSoon(): void {
    trimming ??= options.clock.after(trimAfterMs, trim);
  }
  function trim(): void {
    trimming = null;
    const tooMany = [...idle.keys()].slice(0, Math.max(0, idle.size - options.processesMax));
    for (const conversationId of tooMany) void evict(conversationId, "room");
  }
  function watch(session: SessionProcess): void {
    const { conversationId } = session;
    session.process.listen({
      ...deafListener,
      lines(lines) {
        for (const line of lines) takeIdleLine(session, line);
        if (session.retiredBecause) void evict(conversationId, "unhealthy");
      },
      exited: () => void evict(conversationId, "unhealthy"),
    });
  }
  async function clearLate(session: SessionProcess): Promise<void> {
    if (session.process.leftovers().length === 0) return;
    const left = await session.process.killLeftovers();
    if (left > 0) await evict(session.conversationId, "unhealthy");
  }
  function takeIdleLine(session: SessionProcess, line: string): void {
    for (const decoded of session.dialogue.decode(line)) {
      if (decoded.kind === "retire") session.retiredBecause = decoded.reason;
      if (decoded.kind === "anomaly") options.publish(anomalySeen(session, decoded.code, decoded.detail));
    }
  }
  return {
    keepsAny: options.processesMax > 0,
    async take(conversationId, fingerprint) {
      const left = await ending.get(conversationId);
      if (left) return left;
      const found = idle.get(conversationId)?.session;
      if (!found) return null;
      if (found.fingerprint !== fingerprint) return (await evict(conversationId, "changed")) || null;
      if (!isReusable(found)) return (await evict(conversationId, "unhealthy")) || null;
      options.publish({ type: "warm.reused", processId: found.process.id, cli: found.process.cli });
      return remove(conversationId);
    },
    keep(session) {
      const { conversationId } = session;
      const idleAlarm = options.clock.after(options.idleMs, () => void evict(conversationId, "idle"));
      const lateLook = options.clock.after(lateLookMs, () => void clearLate(session));
      idle.set(conversationId, { session, idleAlarm, lateLook });
      watch(session);
      options.publish({ type: "warm.kept", processId: session.process.id, cli: session.process.cli });
      if (idle.size > options.processesMax) trimSoon();
    },
    isWarm: (conversationId) => conversationId !== null && idle.has(conversationId),
    get size() {
      return idle.size;
    },
    async giveUpOldest() {
      const [oldest] = idle.keys();
      if (oldest !== undefined) await evict(oldest, "memory");
      return oldest !== undefined;
    },
    async endConversation(conversationId) {
      await evict(conversationId, "ended");
    },
    async endAgent(agentId) {
      const own = [...idle.values()].filter(({ session }) => session.agentId === agentId);
      await Promise.all(own.map(({ session }) => evict(session.conversationId, "ended")));
    },
    async stop() {
      trimming?.stop();
      await Promise.all([...idle.keys()].map((conversationId) => evict(conversationId, "ended")));
      await Promise.all(ending.values());
    },
  };
}
