import { raw } from "hono/html";
import type { Agent } from "../../domain/agent.ts";
import type { CliFinding } from "../../runner/runner-api.ts";
import { type AgentSight, conditionOf, tallyOf, tallyShown } from "./agent-condition.ts";
import { bestCli, cliNameShown, newAgentPath } from "./cli-choice.ts";
import { elementIds } from "../element-ids.ts";
import { FirstRun } from "./first-run.tsx";
import { ProblemPlace } from "../forms.tsx";
import { type Containment, type Frame, Page } from "../layout.tsx";
import { agentStatus, plural, statusShown } from "../wording.ts";

export interface BoardProps {
  /** In the order in which they are shown. */
  sights: readonly AgentSight[];
  /** The same as HTML, each an `AgentRow`. */
  rows: readonly string[];
  findings: readonly CliFinding[];
  containment: Containment;
  /** Where the agents made before these are; null when these are all. */
  olderPath: string | null;
}

/** All agents at a glance; a page of older ones stands still. */
export function AgentsPage(props: { frame: Frame; board: BoardProps; cursor: string; isOlder: boolean }) {
  const { frame, board, cursor, isOlder } = props;
  const following = isOlder ? null : { view: "agents/", cursor };
  return (
    <Page frame={frame} section="agents" title="" wide following={following}>
      <ProblemPlace />
      <Board {...board} />
      <p class="pager without-script">
        <a href="/">Look again</a>
      </p>
    </Page>
  );
}

/** A departure board: a row for each agent; before there is one, what to begin with. */
export function Board(props: BoardProps) {
  const { sights, rows, findings, containment, olderPath } = props;
  return (
    <section id={elementIds.agents} class="stack" aria-label="Your agents">
      {sights.length === 0 ? (
        <FirstRun findings={findings} containment={containment} />
      ) : (
        <>
          <BoardHead sights={sights} findings={findings} />
          <ul class="board agents" id={elementIds.agentRows}>
            {raw(rows.join(""))}
          </ul>
          {olderPath !== null && <Older count={sights.length} path={olderPath} />}
        </>
      )}
    </section>
  );
}

function BoardHead({ sights, findings }: Pick<BoardProps, "sights" | "findings">) {
  const counted = sights.map((sight) => ({
    kind: conditionOf(sight).kind,
    queueLength: sight.agent.queueLength,
  }));
  return (
    <div class="board-head">
      <h1>Agents</h1>
      <p class="facts" id={elementIds.agentsSummary}>
        {tallyShown(tallyOf(counted))}
      </p>
      <a class="button" href={newAgentPath(bestCli(findings))}>
        New agent
      </a>
    </div>
  );
}

function Older({ count, path }: { count: number; path: string }) {
  return (
    <p class="pager">
      These are {plural(count, "agent")}, the newest first made. <a href={path}>Older agents</a>
    </p>
  );
}

export function StatusChip({ agent }: { agent: Pick<Agent, "status" | "queueLength" | "breaker"> }) {
  return <span class={`chip status-${agentStatus(agent)}`}>{statusShown(agent)}</span>;
}

/** Which of the ACP agents it is isn't known everywhere. */
export function CliChip({ cli, acpAgent = null }: Pick<Agent, "cli"> & Partial<Pick<Agent, "acpAgent">>) {
  return <span class={`chip cli-${cli}`}>{cliNameShown({ cli, acpAgent })}</span>;
}
