import type { Turn } from "../../domain/conversation.ts";
import type { Run } from "../../domain/run.ts";
import { Answer, type AnswerRun, LeftOut, PartView } from "../../views/answer.tsx";
import { type AnswerPart, type AnswerParts, emptyParts, foldPart } from "../../views/answer-parts.ts";
import type { StreamingMarkdown } from "../../views/streaming-markdown.ts";
import type { PageDependencies } from "./page-dependencies.ts";
import { renderHtml } from "../../views/render.ts";

/** Events of one settled run that are read to show its steps; a longer run shows its text alone. */
const eventsMax = 5_000;
const eventsAtOnce = 1_000;
/** Characters of HTML kept, over all answers. */
const cachedCharsMax = 4_194_304;

/** The renderer and what sanitises for it are loaded with the first page that needs them, not at start. */
export async function loadMarkdown(): Promise<Markdown> {
  const [{ renderMarkdown }, { createStreamingMarkdown }] = await Promise.all([
    import("../../views/markdown.ts"),
    import("../../views/streaming-markdown.ts"),
  ]);
  return { renderMarkdown, createStreamingMarkdown };
}

export interface Markdown {
  renderMarkdown(this: void, text: string): string;
  createStreamingMarkdown(this: void): StreamingMarkdown;
}

export interface SettledAnswers {
  /** The answer's HTML; rendered once, since neither a settled run nor its turn changes any more. */
  render(answer: { key: string; run: Run | null; turn: Turn | null }, name: string): Promise<string>;
}

export function createSettledAnswers(runs: PageDependencies["runs"]): SettledAnswers {
  const cache = createHtmlCache(cachedCharsMax);
  return {
    async render({ key, run, turn }, name) {
      const cached = cache.get(key);
      if (cached !== undefined) return cached;
      const markdown = await loadMarkdown();
      const shown = run ? answerRunOf(run) : leftTurn(key, turn);
      const answer = run ? readParts(runs, run.id) : emptyParts();
      const parts = turn === null ? answer.parts : finalParts(answer, turn);
      const html = renderHtml(
        <Answer run={shown} name={name}>
          {parts.map((part) => (
            <PartView
              runId={key}
              part={part}
              html={part.kind === "text" ? markdown.renderMarkdown(part.text) : ""}
            />
          ))}
          <LeftOut count={answer.leftOut} runId={key} />
        </Answer>,
      );
      cache.set(key, html);
      // Rendering blocks; others get their turn before the next answer.
      await new Promise((resolve) => setTimeout(resolve, 0));
      return html;
    },
  };
}

export function answerRunOf({ id, state, error, endedAt }: Run): AnswerRun {
  return { id, state, error, endedAt, hasPage: true };
}

function leftTurn(key: string, turn: Turn | null): AnswerRun {
  const state = turn?.final === false ? "interrupted" : "succeeded";
  return { id: key, state, error: null, endedAt: turn?.createdAt ?? null, hasPage: false };
}

function readParts(runs: PageDependencies["runs"], runId: string): AnswerParts {
  const answer = emptyParts();
  let after = 0;
  while (after < eventsMax) {
    const events = runs.listEvents(runId, after, eventsAtOnce);
    for (const event of events) foldPart(answer, event);
    if (events.length < eventsAtOnce) return answer;
    after = events.at(-1)?.seq ?? eventsMax;
  }
  return emptyParts();
}

/** The steps as the log has them, and the answer as the turn has it, which is the CLI's own last word. */
function finalParts(answer: AnswerParts, turn: Turn): AnswerPart[] {
  if (!turn.final && answer.parts.some((part) => part.kind === "text")) return answer.parts;
  const isStep = (part: AnswerPart) => part.kind !== "text" || part.block < answer.finalFromBlock;
  const text = {
    part: answer.parts.length,
    kind: "text",
    block: -1,
    text: turn.content,
    discarded: false,
  } as const;
  return [...answer.parts.filter(isStep), ...(turn.content === "" ? [] : [text])];
}

/** Keeps the newest used, within a number of characters. */
function createHtmlCache(charsMax: number) {
  const htmlByKey = new Map<string, string>();
  let chars = 0;
  return {
    get(key: string): string | undefined {
      const html = htmlByKey.get(key);
      if (html === undefined) return undefined;
      htmlByKey.delete(key);
      htmlByKey.set(key, html);
      return html;
    },
    set(key: string, html: string): void {
      if (html.length > charsMax || htmlByKey.has(key)) return;
      htmlByKey.set(key, html);
      chars += html.length;
      for (const [oldest, old] of htmlByKey) {
        if (chars <= charsMax) break;
        htmlByKey.delete(oldest);
        chars -= old.length;
      }
    },
  };
}
