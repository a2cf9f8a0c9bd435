import type { Database } from "bun:sqlite";
import type { Match } from "../domain/conversation.ts";

const snippetChars = 200;
const snippetTokens = 24;
/**
 * Of a longer text SQLite is shown pieces only: it compares each match with all others, and copies all that it has
 * marked for each mark, which for a list of small numbers takes seconds.
 */
const wholeCharsMax = 4_096;
const pieceCharsMax = 1_024;
/** Pieces end where a word does, unless a word is longer than they may be; never with half a character. */
const wholeWords = new RegExp(`[^]{1,${pieceCharsMax - 1}}(?:\\s|$)|[^]{1,${pieceCharsMax}}`, "gu");
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
    const marks = { open, close };
    for (const { turnKey, marked, long } of listMarkedSnippets(database, { matchQuery, keys, ...marks })) {
      const piece = marked ?? findMarkedPiece(database, { matchQuery, text: long, ...marks });
      snippets.set(turnKey, trimmed(unmarked(piece, open, close)));
    }
  }
  return snippets;
}

type MarkedSnippet = { turnKey: number } & ({ marked: string; long: null } | { marked: null; long: string });

/**
 * Without turns whose text holds a mark itself, and with the text that is searched of those that are long. All in
 * one go: to look up the turns one by one, the index would put together the words that begin with the last one anew
 * for each.
 */
function listMarkedSnippets(
  database: Database,
  { keys, ...search }: { matchQuery: string; keys: readonly number[]; open: string; close: string },
): MarkedSnippet[] {
  return database
    .query<MarkedSnippet, Record<string, string | number>>(
      `select rowid as turnKey,
         iif(length(content) > ${wholeCharsMax}, content, null) as long,
         iif(length(content) > ${wholeCharsMax}, null,
           snippet(turns_search, 0, :open, :close, '…', ${snippetTokens})) as marked
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

interface PieceSearch {
  matchQuery: string;
  text: string;
  open: string;
  close: string;
}

/**
 * The first piece of a long text that holds all the words, else the one that holds most of what is rare of them, else
 * its beginning. The pieces are indexed as turns are, and nothing of it stays.
 */
function findMarkedPiece(database: Database, search: PieceSearch): string {
  database.run(
    `create virtual table if not exists temp.text_pieces
     using fts5 (content, tokenize = 'unicode61 remove_diacritics 2')`,
  );
  database.run("savepoint text_pieces");
  try {
    insertPieces(database, search.text);
    const found =
      markPiece(database, search, "rowid") ??
      markPiece(database, { ...search, matchQuery: anyWordOf(search.matchQuery) }, "rank");
    return found ?? search.text.slice(0, pieceCharsMax);
  } finally {
    database.run("rollback to text_pieces");
    database.run("release text_pieces");
  }
}

function insertPieces(database: Database, text: string): void {
  const pieces = text.match(wholeWords);
  database
    .query(`insert into temp.text_pieces (content) select value from json_each(:pieces) order by key`)
    .run({ pieces: JSON.stringify(pieces) });
}

function markPiece(
  database: Database,
  { matchQuery, open, close }: Omit<PieceSearch, "text">,
  order: "rowid" | "rank",
): string | null {
  const found = database
    .query<{ piece: number; marked: string }, Record<string, string>>(
      `select rowid as piece, snippet(text_pieces, 0, :open, :close, '…', ${snippetTokens}) as marked
       from temp.text_pieces where text_pieces match :matchQuery order by ${order} limit 1`,
    )
    .get({ matchQuery, open, close });
  if (found === null) return null;
  return found.piece === 1 || found.marked.startsWith("…") ? found.marked : `…${found.marked}`;
}

/** No word holds a space: what stands between quotes stands between words. */
function anyWordOf(matchQuery: string): string {
  return matchQuery.replaceAll('" "', '" OR "');
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
