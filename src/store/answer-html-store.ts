import type { Database } from "bun:sqlite";
import type { AnswerHtmlStore } from "../domain/answer-html.ts";
import { StoreUnavailable } from "../domain/ports.ts";
import {
  deleteStaleAnswerHtml,
  listAnswerHtml,
  upsertAnswerHtml,
  type AnswerHtmlRow,
} from "./answer-html.ts";
import type { CommitQueue } from "./commit-queue.ts";

/** A longer answer is rendered again each time, rather than kept. */
const htmlBytesMax = 4 * 1024 * 1024;
/** More than this isn't held in memory for the sake of a cache; what is refused is rendered and offered again. */
const waitingBytesMax = 16 * 1024 * 1024;
const waitingAnswersMax = 500;
const stalePerWriteMax = 4;
/** Nobody waits for it: it goes with the next write that somebody waits for. */
const withTheNext = { durable: false, lazyMs: 20 };

export function createAnswerHtmlStore(database: Database, queue: CommitQueue): AnswerHtmlStore {
  const waiting = { answers: 0, bytes: 0 };

  async function write(row: AnswerHtmlRow, bytes: number): Promise<void> {
    waiting.answers += 1;
    waiting.bytes += bytes;
    try {
      await queue.commit(() => replace(database, row), withTheNext);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    } finally {
      waiting.answers -= 1;
      waiting.bytes -= bytes;
    }
  }

  return {
    findAnswerHtml(keys, rendererVersion) {
      const rows = listAnswerHtml(database, keys, rendererVersion);
      return new Map(rows.map(({ key, html }) => [key, html]));
    },
    async keepAnswerHtml(answer) {
      const bytes = Buffer.byteLength(answer.html);
      const isTooLong = bytes > htmlBytesMax;
      const isTooMuch = waiting.bytes + bytes > waitingBytesMax || waiting.answers >= waitingAnswersMax;
      if (!isTooLong && !isTooMuch) await write(answer, bytes);
    },
  };
}

function replace(database: Database, row: AnswerHtmlRow): void {
  upsertAnswerHtml(database, row);
  deleteStaleAnswerHtml(database, row.rendererVersion, stalePerWriteMax);
}
