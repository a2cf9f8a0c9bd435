import type { Database } from "bun:sqlite";
import type { Match } from "../domain/conversation.ts";

const snippetChars = 200;
const snippetTokens = 24;

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
      snippets.set(turnKey, trimmed(unmarked(marked, open, close)));
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
      `select rowid as turnKey, snippet(turns_search, 0, :open, :close, '…', ${snippetTokens}) as marked
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

/** At most `snippetChars` characters that begin shortly before the first match; never half a character. */
export function trimmed({ snippet, ranges }: Snippet): Snippet {
  if (snippet.length <= snippetChars) return { snippet, ranges };
  const firstMatch = ranges[0]?.[0] ?? 0;
  const from = atCharacter(snippet, Math.max(0, Math.min(firstMatch - 40, snippet.length - snippetChars)));
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
