import type { Child } from "hono/jsx";
import { raw } from "hono/html";
import type { Cli } from "../../domain/agent.ts";
import { adviceOn, limitOverAt } from "../../domain/failure-advice.ts";
import type { RunError, Usage } from "../../domain/run.ts";
import { isTerminal, type RunState } from "../../domain/run-state.ts";
import type { AnswerPart, AnswerParts } from "./answer-parts.ts";
import { elementIds } from "../element-ids.ts";
import { ActionForm } from "../forms.tsx";
import { Elapsed, tellsTime, TimeShown, WithTimes } from "../time-shown.tsx";
import { ToolCard } from "./tool-card.tsx";
import { TurnLink, type TurnPlace } from "./turn-link.tsx";
import { costShown, durationShown, plural, statesShown, tokensShown } from "../wording.ts";

/** What an answer shows of its run. */
export interface AnswerRun {
  id: string;
  /** Null where only the turn is left. */
  cli: Cli | null;
  state: RunState;
  error: RunError | null;
  startedAt: string | null;
  endedAt: string | null;
  durationMs: number | null;
  usage: Usage | null;
  costUsd: number | null;
  model: string | null;
  /** False where only the turn is left. */
  hasPage: boolean;
  /** Null while there is no turn, or none was written. */
  place: TurnPlace | null;
}

/** A run's answer: whole when it has ended, or as far as it had come. */
export function Answer(props: { run: AnswerRun; name: string; children?: Child }) {
  const { run, name, children } = props;
  return (
    <article
      class={`turn answer state-${run.state}`}
      id={elementIds.run(run.id)}
      aria-label={`${name} answers`}
    >
      <AnswerHead run={run} name={name} />
      <Parts runId={run.id}>{children}</Parts>
      {run.state !== "succeeded" && <AnswerTrouble run={run} />}
      <AnswerFoot run={run} />
    </article>
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
      <Parts runId={run.id}>{children}</Parts>
      <div class="activity">
        <p>
          <span id={elementIds.activity(run.id)}>{activity}</span>{" "}
          {run.startedAt !== null && <Elapsed since={run.startedAt} />} <a href={`/runs/${run.id}`}>run</a>
        </p>
        <ActionForm action={`/runs/${run.id}/cancel`} label="Stop" class="stop" from="agent" />
      </div>
      <p class="hint without-script">
        This page doesn't follow the answer without JavaScript. <a href="">Look again</a>
      </p>
    </article>
  );
}

function AnswerHead({ run, name }: { run: AnswerRun; name: string }) {
  return (
    <header class="turn-head">
      <h3 class="who">{name}</h3>
      {isTerminal(run.state) && run.state !== "succeeded" && (
        <span class={`chip state-${run.state}`}>{statesShown[run.state]}</span>
      )}
      {run.endedAt !== null && <TimeShown at={run.endedAt} />}
      {run.place !== null && <TurnLink place={run.place} />}
    </header>
  );
}

/**
 * When a run ends, all around its parts is changed and they are kept: to morph a long answer would hold
 * the browser up.
 */
function Parts({ runId, children }: { runId: string; children: Child }) {
  return (
    <div class="parts" id={elementIds.parts(runId)} hx-morph-skip-children="">
      {children}
    </div>
  );
}

/** Why the answer isn't what it should be, and what can be done. */
function AnswerTrouble({ run }: { run: AnswerRun }) {
  return (
    <div class="answer-end">
      {run.error !== null && <RunProblem error={run.error} run={run} />}
      {run.state === "cancelled" && <p class="hint">Stopped; what stands above is as far as it came.</p>}
      {run.state !== "cancelled" && (
        <p class="hint">This answer is incomplete; what stands above is as far as it came.</p>
      )}
      {run.hasPage && (
        <ActionForm action={`/runs/${run.id}/retry`} label="Try again" class="quiet" from="agent" />
      )}
    </div>
  );
}

/** The zone of the machine that the CLIs run on: their times of day are of it. */
const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();

export function RunProblem({ error, run }: { error: RunError; run: Pick<AnswerRun, "cli" | "endedAt"> }) {
  const overAt = run.endedAt === null ? null : limitOverAt(error, run.endedAt, timeZone);
  const advice = adviceOn(run.cli, error);
  return (
    <p class="problem">
      <WithTimes text={error.message} /> {advice !== null && `${advice} `}
      {overAt !== null && !tellsTime(error.message) && (
        <>
          That is at <TimeShown at={overAt} />.{" "}
        </>
      )}
      <a href={error.runbook}>
        <code>{error.code}</code>
      </a>
    </p>
  );
}

/** What it took. */
function AnswerFoot({ run }: { run: AnswerRun }) {
  const facts = [
    run.durationMs === null ? null : durationShown(run.durationMs),
    run.usage === null ? null : tokensShown(run.usage),
    run.costUsd === null || run.costUsd === 0 ? null : costShown(run.costUsd),
    run.model,
  ].filter((fact) => fact !== null);
  if (facts.length === 0 && !run.hasPage) return null;
  return (
    <footer class="answer-foot">
      {facts.map((fact) => (
        <span>{fact}</span>
      ))}
      {run.hasPage && <a href={`/runs/${run.id}`}>run</a>}
    </footer>
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

/** One part of an answer. `html` is what the renderer made of a text; the others need none. */
export function PartView({ runId, part, html }: { runId: string; part: AnswerPart; html: string }) {
  const id = elementIds.part(runId, part.part);
  if (part.kind === "text") return part.discarded ? null : <TextPart id={id} html={html} />;
  if (part.kind === "tool") return <ToolCard runId={runId} part={part} />;
  if (part.kind === "thinking") return <Thinking runId={runId} part={part} />;
  return (
    <p class={`part notice notice-${part.code}`} id={id}>
      <WithTimes text={part.message} />
    </p>
  );
}

/** Foreign text, however well it was cleaned, is out of bounds for htmx. */
function TextPart({ id, html }: { id: string; html: string }) {
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

function Thinking({ runId, part }: { runId: string; part: Extract<AnswerPart, { kind: "thinking" }> }) {
  return (
    <details class="part thinking" id={elementIds.part(runId, part.part)}>
      <summary>Thinking</summary>
      <p class="said" id={elementIds.thought(runId, part.part)}>
        {part.text}
      </p>
    </details>
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
