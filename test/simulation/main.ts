/**
 * `bun run simulate --seed N [--steps 10000] [--verbose]`: repeats one simulation, and says what it came to.
 */
import { parseArgs } from "node:util";
import { describeReport } from "./report.ts";
import { simulate } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    steps: { type: "string", default: "10000" },
    verbose: { type: "boolean", default: false },
  },
});

const strays: Error[] = [];
process.on("unhandledRejection", (stray) => void strays.push(stray as Error));
const report = await simulate({
  strays,
  seed: Number(values.seed),
  steps: Number(values.steps),
  ...(values.verbose && { write: (line: string) => console.log(line) }),
});
console.log(describeReport(report));
process.exitCode = report.violations.length === 0 ? 0 : 1;
