import type { Child } from "hono/jsx";
import type { RunEvent } from "../domain/event.ts";
import type { Run } from "../domain/run.ts";
import { isTerminal } from "../domain/run-state.ts";
import { RunProblem } from "./answer.tsx";
import { inputSummary } from "./answer-parts.ts";
import { byId, elementIds } from "./element-ids.ts";
import { ActionForm, Problem, ProblemPlace } from "./forms.tsx";
import { type Frame, Page } from "./layout.tsx";
import { TimeShown } from "./time-shown.tsx";
import { bytesShown, cliNamesShown, countShown, cut, durationShown, statesShown } from "./wording.ts";

const eventSummaryCharsMax = 200;
const promptCharsMax = 262_144;

/** One run: what is known of it, and its newest events. */
export function RunPage(props: {
  frame: Frame;
  run: Run;
  events: readonly RunEvent[];
  problem: string | null;
}) {
  const { frame, run, events, problem } = props;
  const prompt = cut(run.prompt, promptCharsMax);
  return (
    <Page frame={frame} title={`Run of ${run.agentId}`}>
      <p class="pager">
        <a href={`/agents/${run.agentId}`}>{run.agentId}</a>
      </p>
      <h1>
        Run <span class="run-id">{run.id}</span>
      </h1>
      <ProblemPlace>{problem !== null && <Problem message={problem} />}</ProblemPlace>
      <RunDetails run={run} events={events} />
      <details class="card">
        <summary>The message</summary>
        <p class="said">{prompt.text}</p>
        {prompt.missing > 0 && <p class="hint">The rest is in the JSON.</p>}
      </details>
      <p class="pager">
        <a href={`/api/runs/${run.id}`}>JSON</a> ·{" "}
        <a href={`/api/runs/${run.id}/events?limit=500`}>events as JSON</a> ·{" "}
        <a href={`/api/runs/${run.id}/log`}>raw log</a>
      </p>
    </Page>
  );
}

/** Asks for itself anew until the run has ended. */
export function RunDetails({ run, events }: { run: Run; events: readonly RunEvent[] }) {
  const following = isTerminal(run.state)
    ? {}
    : {
        "hx-get": `/fragments/runs/${run.id}`,
        "hx-trigger": "every 2s",
        "hx-target": byId(elementIds.runFacts),
        "hx-swap": "outerMorph",
      };
  return (
    <div id={elementIds.runFacts} class="stack" {...following}>
      <div class="run-state">
        <span class={`chip state-${run.state}`}>{statesShown[run.state]}</span>
        {isTerminal(run.state) ? <RetryForm run={run} /> : <CancelForm run={run} />}
      </div>
      {run.error !== null && <RunProblem error={run.error} />}
      <RunFacts run={run} />
      <EventList runId={run.id} events={events} />
    </div>
  );
}

function RetryForm({ run }: { run: Run }) {
  return (
    <form class="action" method="post" action={`/runs/${run.id}/retry`}>
      <input type="hidden" name="from" value="run" />
      <button class="quiet">Send it again</button>
    </form>
  );
}

function CancelForm({ run }: { run: Run }) {
  const label = run.state === "queued" ? "Take back" : "Stop";
  return <ActionForm action={`/runs/${run.id}/cancel`} label={label} class="stop" from="run" />;
}

function RunFacts({ run }: { run: Run }) {
  const { usage } = run;
  const tokens =
    usage === null ? "–" : `${countShown(usage.inputTokens)} in, ${countShown(usage.outputTokens)} out`;
  const cached =
    usage === null
      ? "–"
      : `${countShown(usage.cacheReadTokens)} read, ${countShown(usage.cacheWriteTokens)} written`;
  return (
    <dl class="facts-table">
      <Fact name="CLI">
        {[cliNamesShown[run.cli], run.cliVersion].filter((part) => part !== null).join(" ")}
      </Fact>
      <Fact name="Model">{run.model ?? "–"}</Fact>
      <Fact name="Carried by">
        {run.mode}, {run.transport.warm ? "warm process" : "fresh process"}
      </Fact>
      <Fact name="Queued">
        <TimeShown at={run.queuedAt} />
      </Fact>
      <Fact name="Started">
        <TimeShown at={run.startedAt} />
      </Fact>
      <Fact name="Ended">
        <TimeShown at={run.endedAt} />
      </Fact>
      <Fact name="Waited">{durationShown(run.queueMs)}</Fact>
      <Fact name="Took">{durationShown(run.durationMs)}</Fact>
      <Fact name="Tokens">{tokens}</Fact>
      <Fact name="Cache">{cached}</Fact>
      <Fact name="Cost">{run.costUsd === null ? "–" : `$${run.costUsd.toFixed(4)}`}</Fact>
      <Fact name="Tools">{run.toolNames.length === 0 ? "–" : run.toolNames.join(", ")}</Fact>
      <Fact name="Memory">{bytesShown(run.peakRssBytes)}</Fact>
      <Fact name="Exit">{run.signal ?? run.exitCode ?? "–"}</Fact>
      <Fact name="Survivors">{run.survivors ?? "–"}</Fact>
      {run.anomalies.length > 0 && (
        <Fact name="Anomalies">
          {run.anomalies.map(({ code, count }) => `${count} × ${code}`).join(", ")}
        </Fact>
      )}
      {run.retryOf !== null && (
        <Fact name="Repeats">
          <a href={`/runs/${run.retryOf}`}>{run.retryOf}</a>
        </Fact>
      )}
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

function EventList({ runId, events }: { runId: string; events: readonly RunEvent[] }) {
  const firstSeq = events[0]?.seq ?? 1;
  return (
    <section aria-label="Events">
      <h2>Events</h2>
      {firstSeq > 1 && (
        <p class="hint">
          The newest {events.length};{" "}
          <a href={`/api/runs/${runId}/events?limit=500`}>the first ones as JSON</a>
        </p>
      )}
      <ol class="events">
        {rowsOf(events).map(({ seqs, type, summary }) => (
          <li>
            <span class="event-seq">{seqs}</span>
            <span>
              <span class="event-type">{type}</span> {summary}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Pieces of one text, which come word by word, share a row. */
function rowsOf(events: readonly RunEvent[]): { seqs: string; type: string; summary: string }[] {
  const groups: RunEvent[][] = [];
  for (const event of events) {
    const group = groups.at(-1);
    if (group !== undefined && isText(event) && group[0]?.type === event.type) group.push(event);
    else groups.push([event]);
  }
  return groups.map((group) => {
    const [first, last] = [group[0] as RunEvent, group.at(-1) as RunEvent];
    const seqs = first === last ? `${first.seq}` : `${first.seq}–${last.seq}`;
    const text = group.map((event) => (isText(event) ? event.text : "")).join("");
    const summary = isText(first) ? inputSummary(text, eventSummaryCharsMax) : fieldsOf(first);
    return { seqs, type: first.type, summary };
  });
}

function isText(event: RunEvent): event is Extract<RunEvent, { type: "text" | "thinking" }> {
  return event.type === "text" || event.type === "thinking";
}

/** An event's own fields on one line. */
function fieldsOf(event: RunEvent): string {
  const { seq: _seq, runId: _runId, at: _at, type: _type, ...fields } = event;
  return Object.keys(fields).length === 0 ? "" : inputSummary(JSON.stringify(fields), eventSummaryCharsMax);
}
