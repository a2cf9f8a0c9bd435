import type { Database } from "bun:sqlite";
import type { ConversationListItem, Match } from "../domain/conversation.ts";
import { conversationColumns, headOf, type ConversationRow } from "./conversations.ts";

const wordsMax = 16;
const wordCharsMax = 64;
/** The newest turns that match; a word that is everywhere doesn't make the search slower than this. */
const turnsMatchedMax = 5_000;
const matchesPerConversation = 3;
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

/** Words as quoted strings, never as query syntax; the last is the beginning of a word. Null when there are none. */
export function matchQueryOf(words: string): string | null {
  const spoken = words
    .split(/[\s\0]+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .slice(0, wordsMax)
    .map((word) => `"${word.slice(0, wordCharsMax).replaceAll('"', '""')}"`);
  return spoken.length === 0 ? null : `${spoken.join(" ")}*`;
}

export interface SearchFilter {
  matchQuery: string;
  agentKey: number | null;
  before: { updatedAtMs: number; key: number } | null;
  limit: number;
}

interface MatchRow extends ConversationRow {
  turnKey: number;
  turnId: string;
  seq: number;
}

export interface FoundConversation {
  row: ConversationRow;
  turns: { turnKey: number; turnId: string; seq: number }[];
}

/** Conversations with a turn that holds all words, the one changed last first, with their newest such turns. */
export function searchConversations(database: Database, filter: SearchFilter): FoundConversation[] {
  const before = filter.before ?? { updatedAtMs: Number.MAX_SAFE_INTEGER, key: Number.MAX_SAFE_INTEGER };
  const rows = database
    .query<MatchRow, Record<string, string | number | null>>(
      `with matched as (
         select rowid as turnKey from turns_search where turns_search match :matchQuery
         order by rowid desc limit ${turnsMatchedMax}),
       numbered as (
         select turnKey, turns.id as turnId, turns.seq, turns.conversation_id as conversationId,
           row_number() over (partition by turns.conversation_id order by turns.seq desc) as nth
         from matched join turns on turns.key = turnKey),
       page as (
         select ${conversationColumns}
         from conversations
         where conversations.removed_at is null
           and conversations.id in (select conversationId from numbered where nth = 1)
           and (:agentKey is null or conversations.agent_key = :agentKey)
           and (conversations.updated_at, conversations.key) < (:updatedAtMs, :key)
         order by conversations.updated_at desc, conversations.key desc limit :limit)
       select page.*, numbered.turnKey, numbered.turnId, numbered.seq
       from page join numbered on numbered.conversationId = page.id and nth <= ${matchesPerConversation}
       order by page.updatedAt desc, page.key desc, numbered.seq desc`,
    )
    .all({ matchQuery: filter.matchQuery, agentKey: filter.agentKey, ...before, limit: filter.limit });
  return grouped(rows);
}

function grouped(rows: readonly MatchRow[]): FoundConversation[] {
  const found = new Map<string, FoundConversation>();
  for (const row of rows) {
    const conversation = found.get(row.id) ?? { row, turns: [] };
    conversation.turns.push({ turnKey: row.turnKey, turnId: row.turnId, seq: row.seq });
    found.set(row.id, conversation);
  }
  return [...found.values()];
}

export function listItemWithMatches(
  database: Database,
  matchQuery: string,
  { row, turns }: FoundConversation,
): ConversationListItem {
  const matches = turns.map(({ turnKey, turnId, seq }) => {
    return { turnId, seq, ...findSnippet(database, matchQuery, turnKey) };
  });
  return { ...headOf(row), matches };
}

/** A piece of the turn around the matched words, and where they are in it. */
function findSnippet(
  database: Database,
  matchQuery: string,
  turnKey: number,
): Pick<Match, "snippet" | "ranges"> {
  for (const [open, close] of markPairs) {
    const marked = findMarkedSnippet(database, { matchQuery, turnKey, open, close });
    if (marked !== null) return trimmed(unmarked(marked, open, close));
  }
  return { snippet: "", ranges: [] };
}

/** Null when the text holds a mark itself. */
function findMarkedSnippet(
  database: Database,
  search: { matchQuery: string; turnKey: number; open: string; close: string },
): string | null {
  const row = database
    .query<{ snippet: string }, typeof search>(
      `select snippet(turns_search, 0, :open, :close, '…', ${snippetTokens}) as snippet
       from turns_search
       where turns_search match :matchQuery and rowid = :turnKey
         and instr(content, :open) = 0 and instr(content, :close) = 0`,
    )
    .get(search);
  return row?.snippet ?? null;
}

export function unmarked(marked: string, open: string, close: string): Pick<Match, "snippet" | "ranges"> {
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
export function trimmed({
  snippet,
  ranges,
}: Pick<Match, "snippet" | "ranges">): Pick<Match, "snippet" | "ranges"> {
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
