import type { Child } from "hono/jsx";
import { raw } from "hono/html";
import type { RunError } from "../domain/run.ts";
import { isTerminal, type RunState } from "../domain/run-state.ts";
import { type AnswerPart, type AnswerParts, inputSummary, type ToolResult } from "./answer-parts.ts";
import { elementIds } from "./element-ids.ts";
import { ActionForm } from "./forms.tsx";
import { TimeShown } from "./time-shown.tsx";
import { cut, plural, statesShown } from "./wording.ts";

const summaryCharsMax = 120;
const toolInputCharsMax = 4_096;
const toolOutputCharsMax = 8_192;

/** What an answer shows of its run. */
export interface AnswerRun {
  id: string;
  state: RunState;
  error: RunError | null;
  endedAt: string | null;
  /** False where only the turn is left. */
  hasPage: boolean;
}

/** A run's answer: whole when it has ended, or as far as it has come. */
export function Answer(props: { run: AnswerRun; name: string; children: Child }) {
  const { run, name, children } = props;
  return (
    <article
      class={`turn answer state-${run.state}`}
      id={elementIds.run(run.id)}
      aria-label={`${name} answers`}
    >
      <AnswerHead run={run} name={name} />
      <div class="parts" id={elementIds.parts(run.id)}>
        {children}
      </div>
      <AnswerEnd run={run} />
    </article>
  );
}

function AnswerHead({ run, name }: { run: AnswerRun; name: string }) {
  return (
    <header class="turn-head">
      <span class="who">{name}</span>
      {isTerminal(run.state) && run.state !== "succeeded" && (
        <span class={`chip state-${run.state}`}>{statesShown[run.state]}</span>
      )}
      {run.endedAt !== null && <TimeShown at={run.endedAt} />}
      {run.hasPage && <a href={`/runs/${run.id}`}>run</a>}
    </header>
  );
}

function AnswerEnd({ run }: { run: AnswerRun }) {
  if (run.state === "succeeded") return null;
  return (
    <div class="answer-end">
      {run.error !== null && <RunProblem error={run.error} />}
      {run.state !== "cancelled" && run.error === null && <p class="hint">This answer is incomplete.</p>}
      {run.state === "cancelled" && <p class="hint">Stopped; what stands above is as far as it came.</p>}
      {run.hasPage && (
        <ActionForm action={`/runs/${run.id}/retry`} label="Try again" class="quiet" from="agent" />
      )}
    </div>
  );
}

export function RunProblem({ error }: { error: RunError }) {
  return (
    <p class="problem">
      {error.message} <a href={error.runbook}>{error.code}</a>
    </p>
  );
}

/** The answer of a run in progress; its parts and its activity are changed in place by the stream. */
export function LiveAnswer(props: { run: AnswerRun; name: string; activity: string; children: Child }) {
  const { run, name, activity, children } = props;
  return (
    <article
      class="turn answer live"
      id={elementIds.run(run.id)}
      aria-label={`${name} answers`}
      aria-busy="true"
    >
      <AnswerHead run={run} name={name} />
      <div class="parts" id={elementIds.parts(run.id)}>
        {children}
      </div>
      <div class="activity">
        <p id={elementIds.activity(run.id)}>{activity}</p>
        <ActionForm action={`/runs/${run.id}/cancel`} label="Stop" class="stop" from="agent" />
      </div>
      <p class="hint without-script">
        This page doesn't follow the answer without JavaScript. <a href="">Look again</a>
      </p>
    </article>
  );
}

/** What a live run is doing right now, in a few words. */
export function activityOf(state: RunState, answer: AnswerParts): string {
  if (state !== "running") return "starting …";
  if (answer.thinking) return "thinking …";
  const last = answer.parts.at(-1);
  if (last === undefined) return "waiting for the first words …";
  if (last.kind === "tool" && last.result === null) return `running ${last.name} …`;
  return last.kind === "text" ? "writing …" : "working …";
}

/** One part of an answer. `html` is what the renderer made of a text; tools and notices need none. */
export function PartView({ runId, part, html }: { runId: string; part: AnswerPart; html: string }) {
  const id = elementIds.part(runId, part.part);
  if (part.kind === "text") return part.discarded ? null : <TextPart id={id} html={html} />;
  if (part.kind === "notice") return <Notice id={id} message={part.message} />;
  return (
    <details class="part tool" id={id}>
      <ToolCall part={part} />
    </details>
  );
}

/** Foreign text, however well it was cleaned, is out of bounds for htmx. */
export function TextPart({ id, html }: { id: string; html: string }) {
  return (
    <div class="part prose" id={id} hx-ignore="">
      {raw(html)}
    </div>
  );
}

/** A text that still grows: what is finished is only added to, the open end is replaced. */
export function GrowingText(props: { runId: string; part: number; frozen: string; open: string }) {
  const { runId, part, frozen, open } = props;
  return (
    <div class="part prose growing" id={elementIds.part(runId, part)} hx-ignore="">
      <div id={elementIds.frozen(runId, part)}>{raw(frozen)}</div>
      <div id={elementIds.open(runId, part)}>{raw(open)}</div>
    </div>
  );
}

function Notice({ id, message }: { id: string; message: string }) {
  return (
    <p class="part notice" id={id}>
      {message}
    </p>
  );
}

/** What stands inside a tool call's `details`. */
export function ToolCall({ part }: { part: Extract<AnswerPart, { kind: "tool" }> }) {
  const { name, input, result } = part;
  return (
    <>
      <summary>
        <span class="tool-name">{name}</span> <code>{inputSummary(input, summaryCharsMax)}</code>{" "}
        <ToolState result={result} />
      </summary>
      <CutText label="Input" text={JSON.stringify(input, null, 2) ?? ""} charsMax={toolInputCharsMax} />
      {result !== null && <CutText label="Output" text={result.output} charsMax={toolOutputCharsMax} />}
    </>
  );
}

function ToolState({ result }: { result: ToolResult | null }) {
  if (result === null) return <span class="chip state-running">running</span>;
  return result.isError ? <span class="chip state-failed">failed</span> : null;
}

function CutText({ label, text, charsMax }: { label: string; text: string; charsMax: number }) {
  const shown = cut(text, charsMax);
  return (
    <>
      <p class="label">{label}</p>
      <pre tabindex={0}>{shown.text === "" ? "(nothing)" : shown.text}</pre>
      {shown.missing > 0 && (
        <p class="hint">… and {plural(shown.missing, "character")} more, in the run's events</p>
      )}
    </>
  );
}

export function LeftOut({ count, runId }: { count: number; runId: string }) {
  if (count === 0) return null;
  return (
    <p class="part notice">
      {plural(count, "further step")}: <a href={`/runs/${runId}`}>see the run</a>
    </p>
  );
}
