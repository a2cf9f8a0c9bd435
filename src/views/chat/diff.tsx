import type { Child } from "hono/jsx";
import type { FileEdit } from "./edits.ts";
import { type DiffLine, type DiffRow, rowsMax, runsOf } from "./line-diff.ts";
import { visibleText } from "../visible-text.ts";
import { cut, plural } from "../wording.ts";

const lineCharsMax = 1_000;
const pathCharsMax = 300;
const headingCharsMax = 120;

/** What a tool call changes, file by file: lines with their sign, as text that is read and copied as it is. */
export function DiffView({ edits }: { edits: readonly FileEdit[] }) {
  // Over all files together.
  let room = rowsMax;
  return (
    <div class="diff">
      {edits.map((edit) => {
        const shown = edit.rows.slice(0, Math.max(0, room));
        room -= shown.length;
        return <FileDiff edit={edit} shown={shown} />;
      })}
    </div>
  );
}

function FileDiff({ edit, shown }: { edit: FileEdit; shown: readonly DiffRow[] }) {
  const { path, notes, rows, leftOut } = edit;
  const missing = rows.length - shown.length + leftOut;
  return (
    <>
      <p class="diff-file">
        {foreign(path, pathCharsMax)}
        {notes.map((note) => (
          <span class="diff-note"> {foreign(note, pathCharsMax)}</span>
        ))}
      </p>
      {runsOf(shown).map((run) => (
        <Run rows={run} />
      ))}
      {missing > 0 && <p class="hint">… and {plural(missing, "more line")}</p>}
    </>
  );
}

/** Lines of one kind. Added and removed ones are told as such to who doesn't see the colour. */
function Run({ rows }: { rows: readonly DiffRow[] }) {
  switch (rows[0]?.sign) {
    case "+":
      return <div role="insertion">{rows.map((row) => lineView(row, "diff-line added"))}</div>;
    case "-":
      return <div role="deletion">{rows.map((row) => lineView(row, "diff-line removed"))}</div>;
    default:
      return <div>{rows.map((row) => lineView(row, "diff-line"))}</div>;
  }
}

function lineView(row: DiffRow, className: string): Child {
  if (row.sign === "gap")
    return (
      <span class="diff-line diff-gap">
        ⋯ {foreign(row.text, headingCharsMax)}
        {"\n"}
      </span>
    );
  return (
    <span class={className}>
      {row.sign}
      <LineText line={row} />
      {"\n"}
    </span>
  );
}

function LineText({ line: { text, changed } }: { line: DiffLine }) {
  if (changed === undefined || text.length > lineCharsMax) return <>{foreign(text, lineCharsMax)}</>;
  const { from, to } = changed;
  return (
    <>
      {visibleText(text.slice(0, from))}
      <span class="changed">{visibleText(text.slice(from, to))}</span>
      {visibleText(text.slice(to))}
    </>
  );
}

/** Foreign text on one line, its end cut off. */
function foreign(text: string, charsMax: number): string {
  const { text: beginning, missing } = cut(text, charsMax);
  return visibleText(beginning.replaceAll("\n", "␊")) + (missing > 0 ? "…" : "");
}
