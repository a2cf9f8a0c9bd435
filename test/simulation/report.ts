import type { SimulationReport } from "./simulation.ts";

/** What a simulation came to, for people: with the way to repeat it where something was violated. */
export function describeReport(report: SimulationReport): string {
  const { seed, steps, runs, hash } = report;
  const head = `seed ${seed}: ${steps} steps, ${runs} runs, trace ${hash}`;
  const counts = [
    `actions: ${listed(report.actions)}`,
    `ends: ${listed(report.ends)}`,
    `refusals: ${listed(report.refusals)}`,
    `turns: ${listed(report.manners)}`,
  ];
  if (report.violations.length === 0) return [head, ...counts].join("\n");
  return [
    head,
    "Violated:",
    ...report.violations.slice(0, 10).map((violation) => `  ${violation}`),
    "Last actions:",
    ...report.lastActions.map((action) => `  ${action}`),
    `Repeat it: bun run simulate --seed ${seed} --steps ${steps}`,
  ].join("\n");
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
