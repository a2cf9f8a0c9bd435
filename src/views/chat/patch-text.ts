import type { FileEdit } from "./edits.ts";
import { countLines, type DiffRow, keptRows } from "./line-diff.ts";

/** More files in one patch aren't shown. */
const filesMax = 100;

const headPattern = /^\*\*\* (Add|Update|Delete) File: (.+)$/;
const movePattern = /^\*\*\* Move to: (.+)$/;

interface PatchedFile {
  path: string;
  notes: string[];
  rows: DiffRow[];
}

/**
 * The patch language of ApplyPatch: "*** Begin Patch", then for each file a line that names it and signed
 * lines under "@@" headings. Null when there is no file in it.
 */
export function readPatch(patch: string): FileEdit[] | null {
  const files: PatchedFile[] = [];
  for (const line of patch.split(/\r?\n/)) {
    const head = headPattern.exec(line);
    if (head !== null) files.push(newFile(head[1] ?? "", head[2] ?? ""));
    else addLine(files.at(-1), line);
    if (files.length > filesMax) break;
  }
  const edits = files.slice(0, filesMax).map(({ path, notes, rows }) => {
    return { path, notes, ...keptRows(rows), ...countLines(rows) };
  });
  return edits.length === 0 ? null : edits;
}

function newFile(verb: string, path: string): PatchedFile {
  const notes = { Add: ["new file"], Delete: ["removed"] }[verb] ?? [];
  return { path: path.trim(), notes, rows: [] };
}

function addLine(file: PatchedFile | undefined, line: string): void {
  if (file === undefined) return;
  const moved = movePattern.exec(line);
  if (moved !== null) file.notes.push(`moved to ${moved[1]}`);
  else if (line.startsWith("@@")) addHeading(file, line);
  else if (line.startsWith("+")) file.rows.push({ sign: "+", text: line.slice(1) });
  else if (line.startsWith("-")) file.rows.push({ sign: "-", text: line.slice(1) });
  else if (line.startsWith(" ")) file.rows.push({ sign: " ", text: line.slice(1) });
}

/** "@@ class Parser" says where; a bare "@@" only parts what was changed here from what was changed there. */
function addHeading(file: PatchedFile, line: string): void {
  const text = line.replace(/^@@ ?/, "").replace(/ ?@@$/, "");
  if (text !== "" || file.rows.length > 0) file.rows.push({ sign: "gap", text });
}
