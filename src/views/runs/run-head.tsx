import type { Child } from "hono/jsx";
import type { Anomaly, Run } from "../../domain/run.ts";
import { shortened } from "../../domain/run.ts";
import { isTerminal } from "../../domain/run-state.ts";
import { cliNameShown } from "../agents/cli-choice.ts";
import { RunProblem } from "../chat/answer.tsx";
import { elementIds } from "../element-ids.ts";
import { ActionForm } from "../forms.tsx";
import { runPath } from "./run-paths.ts";
import { Elapsed, TimeShown } from "../time-shown.tsx";
import { turnPath } from "../chat/turn-link.tsx";
import { bytesShown, costShown, countShown, durationShown, plural, statesShown } from "../wording.ts";

const titleCharsMax = 120;
/** A line that is looked for the title is not longer than this, leading white space included. */
const titleSourceCharsMax = 4_096;
const retriesShownMax = 5;

/** A run, but for its answer, which may be long and still grow. */
export type RunShown = Omit<Run, "content">;

/** A run and what else is known of it. */
export interface RunFacts {
  run: RunShown;
  /** The message's place in its conversation; null while it waits, or when it was taken back. */
  turnSeq: number | null;
  /** Ids of the runs that repeat it. */
  retries: readonly string[];
  /** Which ACP agent carried it; null for other CLIs, and where that isn't known any more. */
  acpAgent: string | null;
}

/** What was asked, by its first line. */
export function titleOf(run: RunShown): string {
  const [line = ""] = run.prompt
    .slice(0, titleSourceCharsMax)
    .trim()
    .split(/[\r\n]/, 1);
  return line === "" ? "A message without words" : shortened(line.trim(), titleCharsMax);
}

/** What it was, how it stands, and what can be done. Changes with the run. */
export function RunHead({ facts }: { facts: RunFacts }) {
  const { run } = facts;
  return (
    <header class="run-head" id={elementIds.runHead}>
      <h1>{titleOf(run)}</h1>
      <p class="facts">
        <span class={`chip state-${run.state}`}>{stateShown(run)}</span>{" "}
        <a href={`/agents/${run.agentId}`}>{run.agentId}</a> <TimeSpent run={run} />
      </p>
      {run.error !== null && <RunProblem error={run.error} run={run} />}
      <div class="run-actions">
        {isTerminal(run.state) ? <RetryForm run={run} /> : <StopForm run={run} />}
        <RunLinks facts={facts} />
      </div>
    </header>
  );
}

function stateShown({ state, queuePosition }: RunShown): string {
  return state === "queued" && queuePosition !== null
    ? `${statesShown[state]}, place ${queuePosition}`
    : statesShown[state];
}

function TimeSpent({ run }: { run: RunShown }) {
  const { startedAt, endedAt, queuedAt } = run;
  if (endedAt !== null) {
    return (
      <>
        <TimeShown at={endedAt} />, after{" "}
        {durationShown(run.durationMs ?? Date.parse(endedAt) - Date.parse(queuedAt))}
      </>
    );
  }
  return <Elapsed since={startedAt ?? queuedAt} />;
}

/** A plain form: it leads to the page of the new run. */
function RetryForm({ run }: { run: RunShown }) {
  return (
    <form class="action" method="post" action={`${runPath(run.id)}/retry`}>
      <input type="hidden" name="from" value="run" />
      <button class={run.state === "succeeded" ? "quiet" : undefined}>
        {run.state === "succeeded" ? "Send it again" : "Try again"}
      </button>
    </form>
  );
}

function StopForm({ run }: { run: RunShown }) {
  const label = run.state === "queued" ? "Take back" : "Stop";
  return <ActionForm action={`${runPath(run.id)}/cancel`} label={label} class="stop" from="run" />;
}

function RunLinks({ facts }: { facts: RunFacts }) {
  const { run, turnSeq, retries } = facts;
  const { conversationId, userTurnId, retryOf } = run;
  return (
    <p class="pager">
      {turnSeq !== null && (
        <a href={turnPath({ conversationId, seq: turnSeq, turnId: userTurnId })}>In its conversation</a>
      )}{" "}
      {retryOf !== null && <a href={runPath(retryOf)}>Repeats an earlier run</a>}{" "}
      {retries.slice(0, retriesShownMax).map((retryId, index) => (
        <>
          <a href={runPath(retryId)}>{index === 0 ? "Repeated" : `Repeated, ${index + 1}`}</a>{" "}
        </>
      ))}
      {retries.length > retriesShownMax && <span class="hint">and more often</span>}
    </p>
  );
}

/** Everything that was measured. */
export function RunFactsTable({ facts: { run, acpAgent } }: { facts: RunFacts }) {
  const { usage, cli, cliVersion } = run;
  return (
    <dl class="facts-table" id={elementIds.runFacts}>
      <Fact name="CLI">
        {[cliNameShown({ cli, acpAgent }), cliVersion].filter((part) => part !== null).join(" ")}
      </Fact>
      <Fact name="Model">{run.model ?? "–"}</Fact>
      <Fact name="Carried by">
        {run.mode}, {run.transport.warm ? "warm process" : "fresh process"}
      </Fact>
      <Fact name="Waited">{durationShown(run.queueMs)}</Fact>
      <Fact name="Took">{durationShown(run.durationMs)}</Fact>
      <Fact name="Tokens">
        {usage === null ? "–" : `${countShown(usage.inputTokens)} in, ${countShown(usage.outputTokens)} out`}
      </Fact>
      <Fact name="Cache">
        {usage === null
          ? "–"
          : `${countShown(usage.cacheReadTokens)} read, ${countShown(usage.cacheWriteTokens)} written`}
      </Fact>
      <Fact name="Cost">{run.costUsd === null ? "–" : costShown(run.costUsd)}</Fact>
      <Fact name="Tools">{toolsShown(run.toolNames)}</Fact>
      <Fact name="Memory">{bytesShown(run.peakRssBytes)}</Fact>
      <Fact name="CPU">{durationShown(run.cpuMs)}</Fact>
      <Fact name="Exit">{exitShown(run)}</Fact>
      <Fact name="Survivors">{run.survivors ?? "–"}</Fact>
      <Fact name="Anomalies">
        {run.anomalies.length === 0 ? "none" : run.anomalies.map(anomalyShown).join("; ")}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const toolNamesShownMax = 20;
const toolNameCharsMax = 60;

function toolsShown(names: readonly string[]): string {
  if (names.length === 0) return "–";
  const shown = names.slice(0, toolNamesShownMax).map((name) => shortened(name, toolNameCharsMax));
  const more = names.length > toolNamesShownMax ? `, and ${names.length - toolNamesShownMax} more` : "";
  return shown.join(", ") + more;
}

/** A warm process lives on, so there is nothing to tell of its end. */
function exitShown({ signal, exitCode }: RunShown): string {
  if (signal !== null) return `signal ${signal}`;
  return exitCode === null ? "–" : `code ${exitCode}`;
}

/** What each code that a run counts means, after "3 ×". */
const anomaliesShown: Record<string, string> = {
  unknown_event: "an event that this release doesn't know",
  parse_error: "a line that is no JSON",
  line_too_long: "a line too long to keep",
  invalid_utf8: "bytes that are no UTF-8",
  duplicate_result: "a second result",
  output_after_result: "output after the result",
  session_mismatch: "another session than ours was named",
  leftover_processes: "processes that could not be ended",
};

function anomalyShown({ code, count }: Anomaly): string {
  const meaning = anomaliesShown[code];
  return meaning === undefined ? `${plural(count, code)}` : `${countShown(count)} × ${meaning}`;
}
