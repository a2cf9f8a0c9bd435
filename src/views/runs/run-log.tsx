import { elementIds } from "../element-ids.ts";
import { TimeShown } from "../time-shown.tsx";
import { visibleText } from "../visible-text.ts";
import type { RunShown } from "./run-head.tsx";
import { sizeShown } from "../wording.ts";

/** The end of a run's raw log, as far as the page has it. */
export interface LogTail {
  text: string;
  fromByte: number;
  totalBytes: number;
}

/** What the CLI printed, as it came. */
export function RunLog({ run, tail }: { run: RunShown; tail: LogTail | null }) {
  return (
    <section class="run-log" aria-labelledby="log-head">
      <h2 id="log-head">Raw log</h2>
      <p class="hint">
        {tail === null && run.logRemovedAt !== null ? (
          <>
            It was removed <TimeShown at={run.logRemovedAt} />: logs are kept for as long as this server is
            set to.
          </>
        ) : (
          <>
            <span id={elementIds.rawLogSize}>{logSizeShown(tail)}</span>{" "}
            <a href={`/api/runs/${run.id}/log`}>The whole log</a>
          </>
        )}
      </p>
      {/* What scrolls is around the text, so that a stylesheet can keep its end in sight. */}
      <div
        class="raw-log"
        id={elementIds.rawLog}
        tabindex={0}
        role="region"
        aria-label="What the CLI printed"
      >
        {/* A browser drops the first newline of a pre, so that one is ours. */}
        <pre id={elementIds.rawLogText}>
          {"\n"}
          {visibleText(tail?.text ?? "")}
        </pre>
      </div>
    </section>
  );
}

/** How much there is, and how much of it the page shows. */
export function logSizeShown(tail: Pick<LogTail, "fromByte" | "totalBytes"> | null): string {
  if (tail === null || tail.totalBytes === 0) return "Nothing was printed so far.";
  const { fromByte, totalBytes } = tail;
  const shown = fromByte === 0 ? "" : `; the last ${sizeShown(totalBytes - fromByte)} are shown`;
  return `${sizeShown(totalBytes)}, secrets masked${shown}.`;
}
