import { concurrencyCases } from "./concurrency-cases.ts";
import type { FaultCase } from "./fault-case.ts";
import { httpCases } from "./http-cases.ts";
import { outputCases } from "./output-cases.ts";
import { processCases } from "./process-cases.ts";
import { serverCases } from "./server-cases.ts";
import { storeCases } from "./store-cases.ts";

export interface FaultGroup {
  letter: string;
  title: string;
  /** How many cases the list has, so that none is lost unnoticed. */
  size: number;
  cases: readonly FaultCase[];
}

/** The whole fault list, but for tmux's group, which comes with tmux. */
export const faultGroups: readonly FaultGroup[] = [
  { letter: "P", title: "What a CLI's process can do", size: 16, cases: processCases },
  { letter: "Q", title: "What a CLI can print", size: 21, cases: outputCases },
  { letter: "S", title: "What can happen to the database and the clock", size: 14, cases: storeCases },
  { letter: "C", title: "What happens at the same moment", size: 12, cases: concurrencyCases },
  { letter: "V", title: "What can happen to the server", size: 10, cases: serverCases },
  { letter: "H", title: "What a client can send", size: 16, cases: httpCases },
];
