import { raw } from "hono/html";
import type { Turn } from "../../../domain/conversation.ts";
import type { RunEvent } from "../../../domain/event.ts";
import type { Run } from "../../../domain/run.ts";
import type { RunState } from "../../../domain/run-state.ts";
import {
  activityOf,
  Answer,
  GrowingText,
  LeftOut,
  LiveAnswer,
  PartView,
} from "../../../views/chat/answer.tsx";
import { type AnswerPart, type AnswerParts, emptyParts, foldPart } from "../../../views/chat/answer-parts.ts";
import { elementIds } from "../../../views/element-ids.ts";
import { escapeHtml } from "../../../views/escape-html.ts";
import { renderHtml } from "../../../views/render.ts";
import type { StreamingMarkdown } from "../../../views/markdown/streaming-markdown.ts";
import { ToolCall } from "../../../views/chat/tool-card.tsx";
import { answerRunOf, finalParts } from "./answer-html.tsx";
import type { Markdown } from "./load-markdown.ts";
import { partial } from "../live/partial.tsx";

const eventsAtOnce = 500;

/** An answer that grows, as one tab shows it. */
export interface LiveAnswerView {
  readonly runId: string;
  /** Reads what is new in the log. */
  read(): Promise<void>;
  /** The whole answer as far as it was read; from then on `changes` tells what is new. */
  whole(): string;
  /** Partials for what has changed since the last call, or "". */
  changes(): string;
  /**
   * Partials that make it the settled answer, whose parts stay as they are; null when the turn says
   * something else than what was streamed, and the answer has to be rendered anew.
   */
  settle(run: Run, turn: Turn | null): Promise<string | null>;
}

export interface LiveAnswerOptions {
  run: Run;
  name: string;
  markdown: Pick<Markdown, "createStreamingMarkdown">;
  listEvents: (runId: string, afterSeq: number, limit: number) => RunEvent[];
}

interface GrowingAnswer {
  run: Run;
  createText: Markdown["createStreamingMarkdown"];
  answer: AnswerParts;
  /** By part. */
  texts: Map<number, StreamingMarkdown>;
  /** By part: how many characters of a thought are shown. */
  thoughtsShown: Map<number, number>;
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
    thoughtsShown: new Map(),
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
        for (const part of growing.changed) await growing.texts.get(part)?.render();
        if (events.length < eventsAtOnce) return;
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    },
    whole: () => renderWhole(growing, name),
    changes: () => renderChanges(growing) + renderActivity(growing),
    async settle(settled, turn) {
      const { answer } = growing;
      if (turn !== null && finalParts(answer, turn) !== answer.parts) return null;
      const parts = await renderEnd(growing);
      const around = renderHtml(<Answer run={answerRunOf(settled, turn)} name={name} />);
      return parts + partial(elementIds.run(run.id), "outerMorph", around);
    },
  };
}

/** Ends all texts; one that reads otherwise as a whole than it did piece by piece is shown anew. */
async function renderEnd(growing: GrowingAnswer): Promise<string> {
  for (const [part, text] of growing.texts) {
    await text.end();
    growing.changed.add(part);
  }
  let html = renderChanges(growing);
  for (const [part, text] of growing.texts) {
    if (!text.isFinal()) html += partial(elementIds.part(growing.run.id, part), "innerHTML", text.html());
  }
  return html;
}

function fold(growing: GrowingAnswer, event: RunEvent): void {
  growing.seq = event.seq;
  if (event.type === "run.started") growing.state = "running";
  const part = foldPart(growing.answer, event);
  if (part === null) return;
  growing.changed.add(part.part);
  if (event.type === "text") textOf(growing, part.part).push(event.text);
  if (event.type === "notice" && event.code === "permission_denied") markDenied(growing);
}

/** A denial is told by a notice, and shows on the call that it is about. */
function markDenied({ answer, changed }: GrowingAnswer): void {
  const denied = answer.parts.findLast((part) => part.kind === "tool" && part.denied);
  if (denied !== undefined) changed.add(denied.part);
}

function textOf({ run, texts, createText }: GrowingAnswer, part: number): StreamingMarkdown {
  const ids = { code: elementIds.growingCode(run.id, part), tail: elementIds.growingTail(run.id, part) };
  const text = texts.get(part) ?? createText(ids);
  texts.set(part, text);
  return text;
}

function renderWhole(growing: GrowingAnswer, name: string): string {
  const { run, answer, state } = growing;
  const parts = answer.parts.map((part) => renderPart(growing, part)).join("");
  growing.shownParts = answer.parts.length;
  growing.shownActivity = activityOf(state, answer);
  growing.changed.clear();
  return renderHtml(
    <LiveAnswer run={{ ...answerRunOf(run, null), state }} name={name} activity={growing.shownActivity}>
      {raw(parts)}
      <LeftOut count={answer.leftOut} runId={run.id} />
    </LiveAnswer>,
  );
}

function renderPart(growing: GrowingAnswer, part: AnswerPart): string {
  const { run } = growing;
  if (part.kind === "thinking") growing.thoughtsShown.set(part.part, part.text.length);
  if (part.kind !== "text" || part.discarded)
    return renderHtml(<PartView runId={run.id} part={part} html="" />);
  const { frozen, open } = textOf(growing, part.part).whole();
  return renderHtml(<GrowingText runId={run.id} part={part.part} frozen={frozen} open={open} />);
}

function renderChanges(growing: GrowingAnswer): string {
  const { answer, changed } = growing;
  const parts = answer.parts.filter((part) => changed.has(part.part));
  const html = parts.map((part) => renderChange(growing, part)).join("");
  growing.shownParts = answer.parts.length;
  changed.clear();
  return html;
}

function renderChange(growing: GrowingAnswer, part: AnswerPart): string {
  const { run, shownParts } = growing;
  const isNew = part.part >= shownParts;
  if (isNew) return partial(elementIds.parts(run.id), "beforeend", renderPart(growing, part));
  const id = elementIds.part(run.id, part.part);
  switch (part.kind) {
    case "notice":
      return "";
    case "tool":
      return partial(id, "innerMorph", renderHtml(<ToolCall runId={run.id} part={part} />));
    case "thinking":
      return renderThought(growing, part);
    case "text":
      return part.discarded ? partial(id, "delete", "") : renderText(growing, part.part);
  }
}

function renderText(growing: GrowingAnswer, part: number): string {
  const { id } = growing.run;
  const { frozen, open, code } = textOf(growing, part).take();
  return [
    frozen === "" ? "" : partial(elementIds.frozen(id, part), "beforeend", frozen),
    open === null ? "" : partial(elementIds.open(id, part), "innerHTML", open),
    code === null ? "" : partial(elementIds.growingCode(id, part), "beforeend", code.added),
    code === null ? "" : partial(elementIds.growingTail(id, part), "innerHTML", code.tail),
  ].join("");
}

function renderThought(growing: GrowingAnswer, part: Extract<AnswerPart, { kind: "thinking" }>): string {
  const added = part.text.slice(growing.thoughtsShown.get(part.part) ?? 0);
  growing.thoughtsShown.set(part.part, part.text.length);
  const id = elementIds.thought(growing.run.id, part.part);
  return added === "" ? "" : partial(id, "beforeend", escapeHtml(added));
}

function renderActivity(growing: GrowingAnswer): string {
  const activity = activityOf(growing.state, growing.answer);
  if (activity === growing.shownActivity) return "";
  growing.shownActivity = activity;
  return partial(elementIds.activity(growing.run.id), "textContent", escapeHtml(activity));
}
