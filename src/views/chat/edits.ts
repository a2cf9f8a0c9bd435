import { diffLines, type DiffRow, keptRows, type LineDiff, newLines } from "./line-diff.ts";
import { readPatch } from "./patch-text.ts";

/** What a tool call does to one file. */
export interface FileEdit extends LineDiff {
  path: string;
  /** What else there is to say: "every occurrence", "moved to b.ts". */
  notes: readonly string[];
}

/** More changes in one call aren't looked at. */
const changesMax = 200;
/** Of a longer text only the beginning is compared. */
const comparedCharsMax = 262_144;

type Counts = Pick<LineDiff, "added" | "removed">;
type Fields = Record<string, unknown>;

/**
 * The tools that change files, by their names without "_" and in lower case:
 * Claude Code's Edit, MultiEdit, Write and NotebookEdit (its own sdk-tools.d.ts; Write also in the recording
 * tool_use_write_acceptedits), Gemini's replace and write_file, Droid's Edit, MultiEdit, Create and ApplyPatch,
 * opencode's edit and write.
 */
const readers: Record<string, (input: Fields) => FileEdit[] | null> = {
  edit: readChange,
  replace: readChange,
  multiedit: readChanges,
  write: readWholeFile,
  writefile: readWholeFile,
  create: readWholeFile,
  notebookedit: readNotebookCell,
  applypatch: readWholePatch,
};

/** The edits that a tool call makes; null when it makes none, or says so in a way that isn't known. */
export function editsOf(toolName: string, input: unknown): FileEdit[] | null {
  const name = toolName.toLowerCase().replaceAll("_", "");
  if (isFields(input) && Array.isArray(input["changes"]) && pathOf(input) === null)
    return readAcpChanges(input["changes"]);
  if (!Object.hasOwn(readers, name)) return null;
  if (typeof input === "string") return readers[name]?.({ input }) ?? null;
  return isFields(input) ? (readers[name]?.(input) ?? null) : null;
}

export function countsOf(edits: readonly Counts[]): Counts {
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
  return { added: sum(edits.map(({ added }) => added)), removed: sum(edits.map(({ removed }) => removed)) };
}

function readChange(input: Fields): FileEdit[] | null {
  const path = pathOf(input);
  const change = changeOf(input);
  return path === null || change === null ? null : [{ path, ...change }];
}

/** Several changes of one file, one after the other. */
function readChanges(input: Fields): FileEdit[] | null {
  const path = pathOf(input);
  const list = input["edits"] ?? input["changes"];
  if (path === null || !Array.isArray(list) || list.length === 0) return null;
  const changes = list.slice(0, changesMax).map((change) => (isFields(change) ? changeOf(change) : null));
  if (changes.some((change) => change === null)) return null;
  return [{ path, ...joined(changes.filter((change) => change !== null)) }];
}

type Change = Omit<FileEdit, "path">;

function changeOf(input: Fields): Change | null {
  const before = textOf(input, "old_string", "old_str", "oldString");
  const after = textOf(input, "new_string", "new_str", "newString");
  if (before === null || after === null) return null;
  const notes = [...placesNote(input), ...beginningNote(before, after)];
  return { ...diffLines(beginning(before), beginning(after)), notes };
}

function placesNote(input: Fields): string[] {
  const count = input["expected_replacements"];
  const isEverywhere = ["replace_all", "change_all", "allow_multiple"].some((name) => input[name] === true);
  if (isEverywhere) return ["every occurrence"];
  return typeof count === "number" && count > 1 ? [`${count} occurrences`] : [];
}

function beginningNote(...texts: string[]): string[] {
  return texts.some((text) => text.length > comparedCharsMax) ? ["only its beginning"] : [];
}

function joined(changes: readonly Change[]): Change {
  const gap: DiffRow = { sign: "gap", text: "" };
  const rows = changes.flatMap((change, at) => (at === 0 ? change.rows : [gap, ...change.rows]));
  const notes = [...new Set(changes.flatMap((change) => change.notes))];
  return { ...keptRows(rows), ...countsOf(changes), notes };
}

/** What stood in the file before isn't told. */
function readWholeFile(input: Fields): FileEdit[] | null {
  const path = pathOf(input);
  const content = textOf(input, "content");
  if (path === null || content === null) return null;
  return [{ path, ...newLines(beginning(content)), notes: ["whole file", ...beginningNote(content)] }];
}

/** What an ACP agent says that a tool changed, whatever the tool is called; a new file has no text before. */
function readAcpChanges(changes: readonly unknown[]): FileEdit[] | null {
  const edits = changes.slice(0, changesMax).map((change) => (isFields(change) ? acpEditOf(change) : null));
  const known = edits.filter((edit) => edit !== null);
  return known.length === 0 || known.length < edits.length ? null : known;
}

function acpEditOf(change: Fields): FileEdit | null {
  const path = textOf(change, "path");
  const before = textOf(change, "oldText") ?? "";
  const after = textOf(change, "newText");
  if (path === null || after === null) return null;
  const diff = before === "" ? newLines(beginning(after)) : diffLines(beginning(before), beginning(after));
  return { path, ...diff, notes: beginningNote(before, after) };
}

function readNotebookCell(input: Fields): FileEdit[] | null {
  const path = textOf(input, "notebook_path");
  const source = textOf(input, "new_source");
  if (path === null || source === null) return null;
  const cell = textOf(input, "cell_id");
  const note = `${textOf(input, "edit_mode") ?? "replace"} cell${cell === null ? "" : ` ${cell}`}`;
  const isRemoved = input["edit_mode"] === "delete";
  return [{ path, ...newLines(isRemoved ? "" : beginning(source)), notes: [note] }];
}

function readWholePatch(input: Fields): FileEdit[] | null {
  const patch = textOf(input, "input", "patch");
  return patch === null ? null : readPatch(beginning(patch));
}

function beginning(text: string): string {
  return text.slice(0, comparedCharsMax);
}

function pathOf(input: Fields): string | null {
  return textOf(input, "file_path", "path", "filePath");
}

function textOf(input: Fields, ...names: string[]): string | null {
  const name = names.find((candidate) => typeof input[candidate] === "string");
  return name === undefined ? null : (input[name] as string);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
