import type { Wakeups } from "./runner-api.ts";

type Wake = () => void;

/** In-process only: the log is the truth, a wake-up just saves its readers from polling. */
export function createWakeups(): Wakeups {
  const byRun = new Map<string, Set<Wake>>();
  const byAgent = new Map<string, Set<Wake>>();
  const ofAny = new Set<(agentId: string) => void>();
  return {
    onRun: (runId, wake) => register(byRun, runId, wake),
    onAgent: (agentId, wake) => register(byAgent, agentId, wake),
    onAny(wake) {
      ofAny.add(wake);
      return () => void ofAny.delete(wake);
    },
    announce({ runId, agentId }) {
      wakeAll(byRun.get(runId));
      wakeAll(byAgent.get(agentId));
      for (const wake of ofAny) wake(agentId);
    },
  };
}

function register(index: Map<string, Set<Wake>>, key: string, wake: Wake): () => void {
  const wakes = index.get(key) ?? new Set();
  index.set(key, wakes.add(wake));
  return () => {
    wakes.delete(wake);
    if (wakes.size === 0 && index.get(key) === wakes) index.delete(key);
  };
}

function wakeAll(wakes: Set<Wake> | undefined): void {
  if (wakes) for (const wake of wakes) wake();
}
