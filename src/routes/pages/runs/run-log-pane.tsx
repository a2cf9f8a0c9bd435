import { escapeHtml } from "../../../views/escape-html.ts";
import { elementIds } from "../../../views/element-ids.ts";
import { logSizeShown } from "../../../views/runs/run-log.tsx";
import { visibleText } from "../../../views/visible-text.ts";
import type { ReadLogPiece } from "../page-dependencies.ts";
import { partial } from "../live/partial.tsx";
import { logTailBytes, type RunCursor } from "./run-reading.ts";

/** A page that shows more than this of a log begins again with its end. */
const logShownBytesMax = 262_144;

/** The end of a run's raw log, which grows. */
export interface LogPane {
  /** What came after the part that the cursor tells; the log's end in place of it, when that is too much. */
  update(): Promise<string>;
  replace(): Promise<string>;
}

export function createLogPane(readLogPiece: ReadLogPiece, runId: string, cursor: RunCursor): LogPane {
  function sizeOf(totalBytes: number): string {
    return partial(
      elementIds.rawLogSize,
      "textContent",
      logSizeShown({ fromByte: cursor.log.fromByte, totalBytes }),
    );
  }

  async function replace(): Promise<string> {
    const tail = await readLogPiece(runId, -logTailBytes, logTailBytes);
    if (tail === null) return "";
    const { text, fromByte, nextByte, totalBytes } = tail;
    cursor.log = { fromByte, nextByte };
    return sizeOf(totalBytes) + partial(elementIds.rawLogText, "innerHTML", htmlOf(text));
  }

  return {
    replace,
    async update() {
      const { fromByte, nextByte } = cursor.log;
      const piece = await readLogPiece(runId, nextByte, logTailBytes);
      if (piece === null || piece.text === "") return "";
      const isFar =
        piece.totalBytes - nextByte > logTailBytes || piece.nextByte - fromByte > logShownBytesMax;
      if (isFar) return replace();
      cursor.log = { fromByte, nextByte: piece.nextByte };
      return sizeOf(piece.totalBytes) + partial(elementIds.rawLogText, "beforeend", htmlOf(piece.text));
    },
  };
}

function htmlOf(text: string): string {
  return escapeHtml(visibleText(text));
}
