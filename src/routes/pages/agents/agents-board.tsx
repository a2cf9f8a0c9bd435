import type { Agent } from "../../../domain/agent.ts";
import type { CliFinding, CliReport } from "../../../runner/runner-api.ts";
import { type AgentSight, inBoardOrder } from "../../../views/agents/agent-condition.ts";
import { AgentRow } from "../../../views/agents/agent-row.tsx";
import type { BoardProps } from "../../../views/agents/agents-page.tsx";
import { renderHtml } from "../../../views/render.ts";
import { openBreakerOf } from "../health/health-reads.ts";
import type { PageDependencies } from "../page-dependencies.ts";

/** Agents on one page; those made earlier are on further pages. */
export const agentsShownMax = 200;

type BoardReads = Pick<PageDependencies, "runner" | "glances" | "findClis" | "containment">;

/** A page of agents, what they do, and what was found of their CLIs. */
export async function readBoard(reads: BoardReads, cursor: string | null): Promise<BoardProps> {
  const findings = await reads.findClis();
  const { items, nextCursor } = reads.runner.listAgents({ limit: agentsShownMax, cursor });
  const sights = inBoardOrder(sightsOf(reads, items, findings));
  return {
    sights,
    rows: sights.map(renderRow),
    findings,
    containment: reads.containment(),
    olderPath: nextCursor === null ? null : `/?cursor=${encodeURIComponent(nextCursor)}`,
  };
}

export function sightsOf(
  { glances, runner }: Pick<BoardReads, "glances" | "runner">,
  agents: readonly Agent[],
  findings: readonly CliFinding[],
): AgentSight[] {
  const glanceOf = glances.glancesOf(agents.map(({ id }) => id));
  return agents.map((agent) => ({
    agent,
    glance: glanceOf.get(agent.id) ?? null,
    finding: findings.find(({ report }) => isCliOf(report, agent)) ?? null,
    breaker: openBreakerOf(runner, agent),
  }));
}

/** ACP agents share one CLI, and are told apart by their names. */
export function isCliOf(report: CliReport, agent: Agent): boolean {
  return report.cli === agent.cli && report.acpAgent === agent.acpAgent;
}

export function renderRow(sight: AgentSight): string {
  return renderHtml(<AgentRow sight={sight} />);
}

/** What a board shows, in a word: rows that are the same in whatever order have the same cursor. */
export function boardCursor(prints: Iterable<string>): string {
  return fingerprint([...prints].toSorted().join(" "));
}

/** Tells texts apart, and nothing more: 53 bits, mixed as FNV does, in two lanes. */
export function fingerprint(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5bd1e995);
  }
  return `${(low >>> 0).toString(36)}${(high >>> 0).toString(36)}`;
}
