import { raw } from "hono/html";
import type { RunEvent } from "../../domain/event.ts";
import type { Run } from "../../domain/run.ts";
import type { RunState } from "../../domain/run-state.ts";
import { activityOf, GrowingText, LeftOut, LiveAnswer, PartView, ToolCall } from "../../views/answer.tsx";
import { type AnswerPart, type AnswerParts, emptyParts, foldPart } from "../../views/answer-parts.ts";
import { elementIds } from "../../views/element-ids.ts";
import { escapeHtml } from "../../views/escape-html.ts";
import type { StreamingMarkdown } from "../../views/streaming-markdown.ts";
import { answerRunOf, type Markdown } from "./answer-html.tsx";
import { partial } from "./partial.tsx";
import { renderHtml } from "../../views/render.ts";

const eventsAtOnce = 500;

/** An answer that grows, as one reader sees it. */
export interface LiveAnswerView {
  readonly runId: string;
  /** Reads what is new in the log. */
  read(): Promise<void>;
  /** The whole answer as far as it was read; from then on `changes` tells what is new. */
  whole(): string;
  /** Partials for what has changed since the last call, or "". */
  changes(): string;
}

export interface LiveAnswerOptions {
  run: Run;
  name: string;
  markdown: Markdown;
  listEvents: (runId: string, afterSeq: number, limit: number) => RunEvent[];
}

interface GrowingAnswer {
  run: Run;
  createText: () => StreamingMarkdown;
  answer: AnswerParts;
  /** By part. `frozen` is all of it so far. */
  texts: Map<number, { markdown: StreamingMarkdown; frozen: string }>;
  changed: Set<number>;
  state: RunState;
  seq: number;
  shownParts: number;
  shownActivity: string;
}

export function createLiveAnswer(options: LiveAnswerOptions): LiveAnswerView {
  const { run, name, markdown, listEvents } = options;
  const growing: GrowingAnswer = {
    run,
    createText: markdown.createStreamingMarkdown,
    answer: emptyParts(),
    texts: new Map(),
    changed: new Set(),
    state: run.state,
    seq: 0,
    shownParts: 0,
    shownActivity: "",
  };
  return {
    runId: run.id,
    async read() {
      for (;;) {
        const events = listEvents(run.id, growing.seq, eventsAtOnce);
        for (const event of events) fold(growing, event);
        if (events.length < eventsAtOnce) return;
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    },
    whole: () => renderWhole(growing, name),
    changes: () => renderChanges(growing),
  };
}

function fold(growing: GrowingAnswer, event: RunEvent): void {
  growing.seq = event.seq;
  if (event.type === "run.started") growing.state = "running";
  const part = foldPart(growing.answer, event);
  if (part === null) return;
  growing.changed.add(part.part);
  if (event.type === "text") textOf(growing, part.part).markdown.push(event.text);
}

function textOf(growing: GrowingAnswer, part: number) {
  const text = growing.texts.get(part) ?? { markdown: growing.createText(), frozen: "" };
  growing.texts.set(part, text);
  return text;
}

/** Takes what was frozen since the last time, and keeps it for when all is wanted. */
function take(growing: GrowingAnswer, part: number): { frozen: string; open: string } {
  const text = textOf(growing, part);
  const taken = text.markdown.take();
  text.frozen += taken.frozen;
  return taken;
}

function renderWhole(growing: GrowingAnswer, name: string): string {
  const { run, answer, state } = growing;
  const parts = answer.parts.map((part) => renderPart(growing, part)).join("");
  growing.shownParts = answer.parts.length;
  growing.shownActivity = activityOf(state, answer);
  growing.changed.clear();
  return renderHtml(
    <LiveAnswer run={{ ...answerRunOf(run), state }} name={name} activity={growing.shownActivity}>
      {raw(parts)}
      <LeftOut count={answer.leftOut} runId={run.id} />
    </LiveAnswer>,
  );
}

function renderPart(growing: GrowingAnswer, part: AnswerPart): string {
  const { run } = growing;
  if (part.kind !== "text" || part.discarded)
    return renderHtml(<PartView runId={run.id} part={part} html="" />);
  const { open } = take(growing, part.part);
  const { frozen } = textOf(growing, part.part);
  return renderHtml(<GrowingText runId={run.id} part={part.part} frozen={frozen} open={open} />);
}

function renderChanges(growing: GrowingAnswer): string {
  const { answer, changed } = growing;
  const parts = answer.parts.filter((part) => changed.has(part.part));
  const html = parts.map((part) => renderChange(growing, part)).join("");
  growing.shownParts = answer.parts.length;
  changed.clear();
  return html + renderActivity(growing);
}

function renderChange(growing: GrowingAnswer, part: AnswerPart): string {
  const { run, shownParts } = growing;
  const isNew = part.part >= shownParts;
  if (isNew) return partial(elementIds.parts(run.id), "beforeend", renderPart(growing, part));
  const id = elementIds.part(run.id, part.part);
  if (part.kind === "notice") return "";
  if (part.kind === "tool") return partial(id, "innerMorph", renderHtml(<ToolCall part={part} />));
  if (part.discarded) return partial(id, "delete", "");
  const { frozen, open } = take(growing, part.part);
  const added = frozen === "" ? "" : partial(elementIds.frozen(run.id, part.part), "beforeend", frozen);
  return added + partial(elementIds.open(run.id, part.part), "innerHTML", open);
}

function renderActivity(growing: GrowingAnswer): string {
  const activity = activityOf(growing.state, growing.answer);
  if (activity === growing.shownActivity) return "";
  growing.shownActivity = activity;
  return partial(elementIds.activity(growing.run.id), "textContent", escapeHtml(activity));
}
