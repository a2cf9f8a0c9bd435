/** What a line of Markdown can begin, seen without its neighbours. */

/** Where a piece of code begins. `nested`: inside a list's item. */
export interface Fence {
  character: string;
  length: number;
  indent: number;
  nested: boolean;
  /** The words after the fence: the language and whatever else. */
  info: string;
}

const markers = "(?:[-+*]|\\d{1,9}[.)])[ \\t]+";
const fencePattern = new RegExp(`^([ \\t]*(?:${markers})*)(\`{3,}|~{3,})([^\\n]*)$`);
const listItemPattern = /^ {0,3}(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/;

/** Behind a list's item whatever is indented belongs to it; elsewhere four spaces make code of another kind. */
export function fenceOf(line: string, inList: boolean): Fence | null {
  const [, prefix = "", marks = "", info = ""] = fencePattern.exec(line) ?? [];
  const character = marks[0];
  if (character === undefined || (character === "`" && info.includes("`"))) return null;
  const nested = prefix.trim() !== "" || (inList && prefix !== "");
  if (!nested && (prefix.length > 3 || prefix.includes("\t"))) return null;
  return { character, length: marks.length, indent: prefix.length, nested, info: info.trim() };
}

/** A nested piece of code may end further in, since a list's item is indented anyhow. */
export function closesFence({ character, length, nested }: Fence, line: string): boolean {
  const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
  if (!nested && (indent.length > 3 || indent.includes("\t"))) return false;
  const marks = line.trim();
  return marks.length >= length && marks === character.repeat(marks.length);
}

/** A line that isn't whole yet and may still become a fence. */
export function mayBecomeFence(beginning: string): boolean {
  return /^ {0,3}(?:`{1,2}$|~{1,2}$|`{3,}[^`]*$|~{3,})/.test(beginning);
}

/** An item of a list that isn't within another one. */
export function isListItem(line: string): boolean {
  return listItemPattern.test(line);
}

export function mayBecomeListItem(beginning: string): boolean {
  return /^(?:[-+*]|\d{1,9}[.)]?)$/.test(beginning);
}

/** The line under a table's head. */
export function isTableRule(line: string): boolean {
  return line.includes("-") && line.includes("|") && /^[ \t|:-]+$/.test(line);
}

export function isBlank(line: string): boolean {
  return line.trim() === "";
}

export function isIndented(line: string): boolean {
  return line.startsWith(" ") || line.startsWith("\t");
}

export function withoutIndent(line: string, indent: number): string {
  const spaces = /^[ \t]*/.exec(line)?.[0].length ?? 0;
  return line.slice(Math.min(spaces, indent));
}
