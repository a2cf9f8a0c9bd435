import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { isTerminal } from "../../domain/run-state.ts";
import { elementIds } from "../element-ids.ts";
import type { RunShown } from "./run-head.tsx";
import { toolCallPath } from "./run-paths.ts";
import { Elapsed, TimeShown } from "../time-shown.tsx";
import type { RunMoments, ToolSpan } from "./timeline-layout.ts";
import { durationShown, statesShown } from "../wording.ts";

/** A row of the table of steps; one whose key is new comes after all that were there. */
export interface Step {
  key: string;
  row: JSX.Element;
}

/** What a run came to, in order, and how long each of it took. */
export function stepsOf(run: RunShown, moments: RunMoments, spans: readonly ToolSpan[]): Step[] {
  const { queuedMs, startedMs, firstOutputMs, endedMs } = moments;
  const offset = (ms: number) => `+${durationShown(ms - queuedMs)}`;
  const queued = (
    <>
      Queued <TimeShown at={run.queuedAt} />
    </>
  );
  const steps = [step("queued", "0", queued, tookUntil(queuedMs, startedMs ?? endedMs))];
  if (startedMs !== null) {
    const started = `Started, ${run.transport.warm ? "warm" : "fresh"} process`;
    steps.push(step("started", offset(startedMs), started, tookUntil(startedMs, firstOutputMs ?? endedMs)));
  }
  if (firstOutputMs !== null) steps.push(step("first-output", offset(firstOutputMs), "First output", ""));
  for (const span of spans) steps.push(toolStep(run, span, offset(span.startedMs)));
  if (endedMs !== null) steps.push(step("ended", offset(endedMs), <Ended run={run} />, ""));
  return steps;
}

function step(key: string, after: string, what: Child, took: Child): Step {
  const row = (
    <tr id={elementIds.step(key)}>
      <td class="after">{after}</td>
      <td>{what}</td>
      <td class="took">{took}</td>
    </tr>
  );
  return { key, row };
}

/** Counts on while it isn't over. */
function tookUntil(fromMs: number, toMs: number | null): Child {
  if (toMs !== null) return durationShown(toMs - fromMs);
  return <Elapsed since={new Date(fromMs).toISOString()} />;
}

function toolStep(
  run: RunShown,
  { toolId, name, summary, startedSeq, startedMs, endedMs, isError, isDenied }: ToolSpan,
  after: string,
): Step {
  const path = toolCallPath(run.id, toolId);
  const what = (
    <>
      {path === null ? (
        <ToolName name={name} />
      ) : (
        <a href={path}>
          <ToolName name={name} />
        </a>
      )}{" "}
      <code>{summary}</code> <CallTrouble isError={isError} isDenied={isDenied} />
    </>
  );
  const isUntold = endedMs === null && isTerminal(run.state);
  return step(String(startedSeq), after, what, isUntold ? untoldEnd(run) : tookUntil(startedMs, endedMs));
}

/** Of a call whose run is over. What is stopped in mid-call may be ended without another word of its CLI's. */
export function untoldEnd({ state }: Pick<RunShown, "state">): string {
  return state === "succeeded" ? "no end seen" : "ended with the run";
}

function CallTrouble({ isError, isDenied }: Pick<ToolSpan, "isError" | "isDenied">) {
  if (isDenied) return <span class="chip state-denied">not allowed</span>;
  return isError && <span class="chip state-failed">failed</span>;
}

function ToolName({ name }: { name: string }) {
  return <span class="tool-name">{name}</span>;
}

function Ended({ run }: { run: RunShown }) {
  return (
    <>
      <span class={`chip state-${run.state}`}>{statesShown[run.state]}</span> <TimeShown at={run.endedAt} />
    </>
  );
}
