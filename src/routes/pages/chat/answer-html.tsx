import { raw } from "hono/html";
import type { Turn } from "../../../domain/conversation.ts";
import type { Run } from "../../../domain/run.ts";
import { Answer, type AnswerRun, LeftOut, PartView } from "../../../views/chat/answer.tsx";
import { type AnswerPart, type AnswerParts, emptyParts, foldPart } from "../../../views/chat/answer-parts.ts";
import { renderHtml } from "../../../views/render.ts";
import { rendererVersion } from "../../../views/chat/renderer-version.ts";
import type { Entry } from "./conversation-snapshot.ts";
import { loadMarkdown } from "./load-markdown.ts";
import type { PageDependencies } from "../page-dependencies.ts";

/** Events of one settled run that are read to show its steps; a longer run shows its text alone. */
const eventsMax = 20_000;
const eventsAtOnce = 1_000;

export type AnswerEntry = Extract<Entry, { kind: "answer" }>;

/** Answers that don't change any more: each is rendered once and kept in the store. */
export interface SettledAnswers {
  /** HTML by key. */
  find(entries: readonly AnswerEntry[]): Map<string, string>;
  render(entry: AnswerEntry, name: string): Promise<string>;
}

export function createSettledAnswers({
  runs,
  answerHtml,
}: Pick<PageDependencies, "runs" | "answerHtml">): SettledAnswers {
  return {
    find(entries) {
      const keys = entries.map((entry) => entry.key);
      return answerHtml.findAnswerHtml(keys, rendererVersion);
    },
    async render(entry, name) {
      const { key, conversationId } = entry;
      const html = await renderAnswer(runs, entry, name);
      void answerHtml.keepAnswerHtml({ key, conversationId, rendererVersion, html });
      return html;
    },
  };
}

async function renderAnswer(
  runs: PageDependencies["runs"],
  { key, runId, turn }: AnswerEntry,
  name: string,
): Promise<string> {
  const run = runId === null ? null : runs.getRun(runId);
  const answer = run === null ? emptyParts() : await readParts(runs, run.id);
  const parts = turn === null ? answer.parts : finalParts(answer, turn);
  const html = await renderParts(key, parts);
  return renderHtml(
    <Answer run={run === null ? leftTurn(key, turn) : answerRunOf(run, turn)} name={name}>
      {raw(html)}
      <LeftOut count={answer.leftOut} runId={key} />
    </Answer>,
  );
}

async function renderParts(key: string, parts: readonly AnswerPart[]): Promise<string> {
  const markdown = await loadMarkdown();
  let html = "";
  for (const part of parts) {
    const text = part.kind === "text" ? await markdown.renderMarkdown(part.text) : "";
    html += renderHtml(<PartView runId={key} part={part} html={text} />);
  }
  return html;
}

export function answerRunOf(run: Run, turn: Turn | null): AnswerRun {
  const { id, cli, state, error, startedAt, endedAt, durationMs, usage, costUsd, model } = run;
  const facts = { id, cli, state, error, startedAt, endedAt, durationMs, usage, costUsd, model };
  return { ...facts, hasPage: true, place: placeOf(turn) };
}

function leftTurn(id: string, turn: Turn | null): AnswerRun {
  const state = turn?.final === false ? "interrupted" : "succeeded";
  const noRun = { cli: null, error: null, startedAt: null, durationMs: null };
  const nothingTold = { usage: null, costUsd: null, model: null };
  const endedAt = turn?.createdAt ?? null;
  return { id, state, endedAt, ...noRun, ...nothingTold, hasPage: false, place: placeOf(turn) };
}

function placeOf(turn: Turn | null): AnswerRun["place"] {
  if (turn === null || turn.seq === null) return null;
  return { conversationId: turn.conversationId, seq: turn.seq, turnId: turn.id };
}

async function readParts(runs: PageDependencies["runs"], runId: string): Promise<AnswerParts> {
  const answer = emptyParts();
  let after = 0;
  while (after < eventsMax) {
    const events = runs.listEvents(runId, after, eventsAtOnce);
    for (const event of events) foldPart(answer, event);
    if (events.length < eventsAtOnce) return answer;
    after = events.at(-1)?.seq ?? eventsMax;
    // Others get their turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return emptyParts();
}

/** The steps as the log has them, and the answer as the turn has it, which is the CLI's own last word. */
export function finalParts(answer: AnswerParts, turn: Turn): AnswerPart[] {
  if (!turn.final && answer.parts.some((part) => part.kind === "text")) return answer.parts;
  const isStep = (part: AnswerPart) => part.kind !== "text" || part.block < answer.finalFromBlock;
  const [only, ...others] = answer.parts.filter((part) => !isStep(part) && !isDiscarded(part));
  // What was streamed is nearly always the turn already, and then it stays the part that it was.
  if (only?.kind === "text" && others.length === 0 && only.text === turn.content) return answer.parts;
  const part = answer.parts.length;
  const last = { part, kind: "text", block: -1, text: turn.content, discarded: false } as const;
  return [...answer.parts.filter(isStep), ...(turn.content === "" ? [] : [last])];
}

function isDiscarded(part: AnswerPart): boolean {
  return part.kind === "text" && part.discarded;
}
