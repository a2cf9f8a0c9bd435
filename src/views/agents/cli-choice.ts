import type { CliFinding } from "../../runner/runner-api.ts";

/** The first CLI that can run now; the demo can at all times, and so comes last. */
export function bestCli(findings: readonly CliFinding[]): string {
  const able = findings.filter(({ carried, report }) => carried && report.found);
  const ready = able.find(({ missing }) => missing.length === 0);
  return (ready ?? able[0])?.report.cli ?? "demo";
}

/** The form with a CLI chosen; naming one keeps its address apart from that of an agent called "new". */
export function newAgentPath(findings: readonly CliFinding[]): string {
  return `/agents/new?cli=${bestCli(findings)}`;
}
