import type { Agent } from "../../domain/agent.ts";
import { runErrors } from "../../domain/error-codes.ts";
import type { CliNeed } from "../../runner/runner-api.ts";
import { type Activity, type AgentSight, type Condition, conditionOf, needShown } from "./agent-condition.ts";
import { cliNameShown } from "./cli-choice.ts";
import { BreakerCause, CauseRun, RecheckQuarantine, ResetBreaker } from "./agent-trouble.tsx";
import { elementIds } from "../element-ids.ts";
import { Elapsed, TimeShown } from "../time-shown.tsx";
import { countShown, permissionsShown, statesShown } from "../wording.ts";

/** One agent on the board. The same sight is always the same HTML, so that what hasn't changed can be told. */
export function AgentRow({ sight }: { sight: AgentSight }) {
  const { agent, glance } = sight;
  const condition = conditionOf(sight);
  return (
    <li class={`agent condition-${condition.kind}`} id={elementIds.agentRow(agent.id)}>
      <div class="agent-id">
        <a class="agent-name" href={`/agents/${agent.id}`}>
          {agent.id}
        </a>
      </div>
      <div class="agent-now">
        <ConditionChip condition={condition} /> <Circumstances agent={agent} condition={condition} />
      </div>
      <div class="agent-waiting">{agent.queueLength > 0 && `${countShown(agent.queueLength)} waiting`}</div>
      <div class="agent-said">
        {glance?.lastLine && <span class="last-line">{glance.lastLine}</span>}{" "}
        {glance?.lastRun && (
          <span class="facts">
            <TimeShown at={glance.lastRun.endedAt} />
          </span>
        )}
      </div>
      <Setup sight={sight} />
    </li>
  );
}

function ConditionChip({ condition }: { condition: Condition }) {
  return <span class={`chip ${chipClass(condition)}`}>{conditionShown(condition)}</span>;
}

function chipClass(condition: Condition): string {
  if (condition.kind === "failed") return `state-${condition.state}`;
  return condition.kind === "waiting" ? "state-queued" : `status-${condition.kind}`;
}

const needsShown: Record<CliNeed["what"], string> = {
  install: "CLI not found",
  update: "CLI too old",
  sign_in: "needs sign-in",
};

function conditionShown(condition: Condition): string {
  if (condition.kind === "failed") return statesShown[condition.state];
  if (condition.kind === "breaker_open") return "breaker open";
  return condition.kind === "blocked" ? needsShown[condition.need?.what ?? "sign_in"] : condition.kind;
}

/** What stands beside the chip: what it does, or what went wrong and what to do. */
function Circumstances({ agent, condition }: { agent: Agent; condition: Condition }) {
  switch (condition.kind) {
    case "running":
      return <Doing activity={condition.activity} startedAt={condition.startedAt} />;
    case "probing":
      return <Probing run={condition.run} />;
    case "blocked":
      return <Blocked agent={agent} {...condition} />;
    case "breaker_open":
      return (
        <span class="agent-problem">
          <BreakerCause cause={condition.cause} /> <Rests until={condition.restsUntil} />{" "}
          <CauseRun cause={condition.cause} /> <ResetBreaker agentId={agent.id} from="board" />
        </span>
      );
    case "failed":
      return (
        <a class="agent-problem" href={`/runs/${condition.runId}`}>
          {condition.errorCode === null ? "See the run" : runErrors[condition.errorCode].message}
        </a>
      );
    case "quarantined":
      return (
        <span class="agent-problem">
          Processes of an earlier run could not be ended, so it takes no messages. End them, or start the
          machine anew; then check again. <RecheckQuarantine agentId={agent.id} from="board" />
        </span>
      );
    default:
      return null;
  }
}

function Doing({ activity, startedAt }: { activity: Activity; startedAt: string | null }) {
  return (
    <>
      {startedAt !== null && <Elapsed since={startedAt} />}{" "}
      {activity.what === "tool" ? (
        <span class="doing">
          <span class="tool-name">{activity.name}</span> <code>{activity.summary}</code>
        </span>
      ) : (
        activity.what !== "starting" && <span class="doing">{activity.what}</span>
      )}
    </>
  );
}

function Probing({ run }: { run: Extract<Condition, { kind: "running" }> | null }) {
  if (run !== null) return <Doing activity={run.activity} startedAt={run.startedAt} />;
  return <span class="agent-problem">One message is let through to see whether the service is back.</span>;
}

/** An open breaker: until when. */
function Rests({ until }: { until: string | null }) {
  if (until === null) return null;
  return (
    <>
      It takes no messages until <TimeShown at={until} />.
    </>
  );
}

function Blocked(props: {
  agent: Agent;
  need: CliNeed | null;
  runId: string | null;
  restsUntil: string | null;
}) {
  const { agent, need, runId, restsUntil } = props;
  return (
    <span class="agent-problem">
      {needShown(need)}{" "}
      {need !== null && need.command !== null && <code class="command">{need.command}</code>}{" "}
      <Rests until={restsUntil} /> {runId !== null && <a href={`/runs/${runId}`}>See the run</a>}{" "}
      {agent.breaker.state === "open" && <ResetBreaker agentId={agent.id} from="board" />}
    </span>
  );
}

function Setup({ sight: { agent, finding } }: { sight: AgentSight }) {
  const { effectiveMode, permissionMode, model, cwd } = agent;
  const version = finding?.report.version ?? null;
  return (
    <div class="agent-setup facts">
      {cliNameShown(agent)}
      {version !== null && agent.cli !== "demo" && ` ${version}`} · {effectiveMode} ·{" "}
      {permissionsShown[permissionMode].title}
      {model !== null && ` · ${model}`} · <span class="path">{cwd}</span>
    </div>
  );
}
