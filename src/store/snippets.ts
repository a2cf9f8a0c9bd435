import type { Database } from "bun:sqlite";
import type { Match } from "../domain/conversation.ts";

const snippetChars = 200;
const snippetTokens = 24;
/**
 * Of a longer text all matches are marked and the piece is chosen here: SQLite compares each match with all others,
 * which of a log of 100 kB takes seconds.
 */
const chosenBySqliteCharsMax = 4_096;
/** So much of the text stands before the first match. */
const leadChars = 40;

/**
 * Marks around a matched word. Any text may hold any character, so a pair is used only where the turn's
 * text holds neither of them.
 */
const markPairs = [
  ["\u{fdd0}", "\u{fdd1}"],
  ["\u{fdd2}", "\u{fdd3}"],
  ["\u{e000}", "\u{e001}"],
] as const;

export type Snippet = Pick<Match, "snippet" | "ranges">;
/** For a text that holds all our marks itself. */
export const noSnippet: Snippet = { snippet: "", ranges: [] };

/** A piece of each turn around the matched words, and where they are in it; by the turn's key. */
export function findSnippets(
  database: Database,
  matchQuery: string,
  turnKeys: readonly number[],
): Map<number, Snippet> {
  const snippets = new Map<number, Snippet>();
  for (const [open, close] of markPairs) {
    const keys = turnKeys.filter((turnKey) => !snippets.has(turnKey));
    if (keys.length === 0) break;
    for (const { turnKey, marked } of listMarkedSnippets(database, { matchQuery, keys, open, close })) {
      snippets.set(turnKey, shortened(unmarked(marked, open, close)));
    }
  }
  return snippets;
}

/**
 * Without turns whose text holds a mark itself. All in one go: to look up the turns one by one, the index
 * would put together the words that begin with the last one anew for each.
 */
function listMarkedSnippets(
  database: Database,
  { keys, ...search }: { matchQuery: string; keys: readonly number[]; open: string; close: string },
): { turnKey: number; marked: string }[] {
  return database
    .query<{ turnKey: number; marked: string }, Record<string, string | number>>(
      `select rowid as turnKey, case when length(content) <= ${chosenBySqliteCharsMax}
         then snippet(turns_search, 0, :open, :close, '…', ${snippetTokens})
         else highlight(turns_search, 0, :open, :close) end as marked
       from turns_search
       where turns_search match :matchQuery and rowid between :firstKey and :lastKey
         and +rowid in (select value from json_each(:keys))
         and instr(content, :open) = 0 and instr(content, :close) = 0`,
    )
    .all({
      ...search,
      keys: JSON.stringify(keys),
      firstKey: Math.min(...keys),
      lastKey: Math.max(...keys),
    });
}

export function unmarked(marked: string, open: string, close: string): Snippet {
  const ranges: [number, number][] = [];
  let snippet = "";
  for (const piece of marked.split(open)) {
    const [matched, rest] = piece.split(close);
    if (rest === undefined) {
      snippet += piece;
      continue;
    }
    ranges.push([snippet.length, snippet.length + matched!.length]);
    snippet += matched! + rest;
  }
  return { snippet, ranges };
}

function shortened(snippet: Snippet): Snippet {
  return trimmed(snippet.snippet.length <= chosenBySqliteCharsMax ? snippet : bestPiece(snippet));
}

/** Where most of the words stand together for the first time; a bit more than is shown of it. */
export function bestPiece({ snippet, ranges }: Snippet): Snippet {
  const first = richestMatch({ snippet, ranges });
  const [start] = ranges[first] ?? [0];
  const from = atCharacter(snippet, Math.max(0, start - leadChars + 1));
  const to = atCharacter(snippet, from + 2 * snippetChars);
  const opening = from > 0 ? "…" : "";
  const moved = opening.length - from;
  return {
    snippet: `${opening}${snippet.slice(from, to)}`,
    ranges: ranges
      .slice(first)
      .filter(([, end]) => end <= to)
      .map(([matchStart, end]) => [matchStart + moved, end + moved]),
  };
}

/** The match that begins the piece with the most different words. */
function richestMatch({ snippet, ranges }: Snippet): number {
  const words = ranges.map(([from, to]) => snippet.slice(from, to).toLowerCase());
  const counts = new Map<string, number>();
  let best = { first: 0, different: 0 };
  let behind = 0;
  for (const [first, [start]] of ranges.entries()) {
    for (; behind < ranges.length && ranges[behind]![1] <= start + snippetChars - leadChars; behind += 1)
      counts.set(words[behind]!, (counts.get(words[behind]!) ?? 0) + 1);
    if (counts.size > best.different) best = { first, different: counts.size };
    const left = (counts.get(words[first]!) ?? 0) - 1;
    if (left > 0) counts.set(words[first]!, left);
    else counts.delete(words[first]!);
    behind = Math.max(behind, first + 1);
  }
  return best.first;
}

/** At most `snippetChars` characters that begin shortly before the first match; never half a character. */
export function trimmed({ snippet, ranges }: Snippet): Snippet {
  if (snippet.length <= snippetChars) return { snippet, ranges };
  const firstMatch = ranges[0]?.[0] ?? 0;
  const from = atCharacter(
    snippet,
    Math.max(0, Math.min(firstMatch - leadChars, snippet.length - snippetChars)),
  );
  const to = atCharacter(snippet, from + snippetChars);
  const kept = ranges
    .map(([start, end]): [number, number] => [start - from, Math.min(end, to) - from])
    .filter(([start, end]) => start >= 0 && start < end);
  return { snippet: snippet.slice(from, to), ranges: kept };
}

/** The index itself, or the one before when it would cut a surrogate pair. */
function atCharacter(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code >= 0xdc00 && code <= 0xdfff ? index - 1 : index;
}
