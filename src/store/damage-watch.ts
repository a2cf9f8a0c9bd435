import type { PublishFact } from "../domain/facts.ts";
import { StoreUnavailable } from "../domain/ports.ts";

/** SQLite counts and finds rows on many a damaged file without a word; only who reads every page knows. */
export interface DamageWatch {
  /** Reads every page in a thread of its own. Rejects when the file couldn't be looked at. */
  look(signal: AbortSignal): Promise<void>;
  /** What the last look found; null when all was well. */
  found(): StoreUnavailable | null;
}

export function createDamageWatch(path: string, publish: PublishFact): DamageWatch {
  let found: StoreUnavailable | null = null;

  function note(damage: string | null): void {
    const wasSound = found === null;
    found = damage === null ? null : new StoreUnavailable("SQLITE_CORRUPT", `${path} ${damage}`);
    if (found !== null && wasSound)
      publish({ type: "store.failed", code: found.code, message: found.message });
    if (found === null && !wasSound) publish({ type: "store.recovered" });
  }
  return {
    found: () => found,
    async look(signal) {
      const worker = new Worker(new URL("./damage-worker.ts", import.meta.url), { smol: true });
      const stop = () => worker.terminate();
      signal.addEventListener("abort", stop, { once: true });
      try {
        const damage = await ask(worker, path, signal);
        if (damage !== "stopped") note(damage.found);
      } finally {
        signal.removeEventListener("abort", stop);
        stop();
      }
    },
  };
}

/** What the worker answers with. */
export interface DamageFound {
  /** A sentence without its subject, which is the file. */
  found: string | null;
}

function ask(worker: Worker, path: string, signal: AbortSignal): Promise<DamageFound | "stopped"> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<DamageFound>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    signal.addEventListener("abort", () => resolve("stopped"), { once: true });
    worker.postMessage(path);
  });
}
