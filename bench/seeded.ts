import { cpSync } from "node:fs";
import { type SeededAgent, seedStore } from "../test/helpers/seeded-store.ts";

export const longTurns = 10_000;
export const shortTurns = 100;
const others = 48;

const agents: SeededAgent[] = [
  { id: "long", turns: longTurns },
  { id: "short", turns: shortTurns },
  ...Array.from({ length: others }, (_, index) => ({ id: `other-${index + 1}`, turns: 2 + 2 * (index % 8) })),
];

/** A data directory in which 50 agents have talked: one for 10,000 turns, one for 100, the others for a few. */
export interface SeededData {
  dataDir: string;
  /** By agent. */
  conversationIds: Record<string, string>;
}

/** Seeds once for the whole bench; each call gives a copy of its own. */
export function seederOf(newDataDir: () => string): () => Promise<SeededData> {
  let first: Promise<SeededData> | null = null;
  async function seed(): Promise<SeededData> {
    const dataDir = newDataDir();
    process.stderr.write(`  seeding ${longTurns} turns …\n`);
    return { dataDir, conversationIds: await seedStore(dataDir, agents) };
  }
  return async () => {
    const master = await (first ??= seed());
    const dataDir = newDataDir();
    cpSync(master.dataDir, dataDir, { recursive: true });
    return { ...master, dataDir };
  };
}
