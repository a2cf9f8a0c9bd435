import type { Database } from "bun:sqlite";
import type { ConversationListItem, Match } from "../domain/conversation.ts";
import { bindingsOf, newestFirst, wantedBy, type ConversationRowFilter } from "./conversation-filter.ts";
import { conversationColumns, headOf, type ConversationRow } from "./conversations.ts";
import { findSnippets, noSnippet } from "./snippets.ts";

const wordsMax = 16;
const wordCharsMax = 64;
const beginningCharsMin = 3;
/** Up to so many matching turns are looked up one by one. */
const rareTurnsMax = 2_000;
const matchesPerConversation = 3;

/**
 * Words as quoted strings, never as query syntax; the last is the beginning of a word, if it is long enough.
 * Null when there are none.
 */
export function matchQueryOf(words: string): string | null {
  const spoken = words
    .split(/[\s\0]+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .slice(0, wordsMax)
    .map((word) => word.slice(0, wordCharsMax));
  if (spoken.length === 0) return null;
  const quoted = spoken.map((word) => `"${word.replaceAll('"', '""')}"`).join(" ");
  return isBeginning(spoken.at(-1)!) ? `${quoted}*` : quoted;
}

/**
 * All words that begin with one or two letters are too many to be put together at each keystroke. Scripts
 * without capitals mostly have no spaces either: there a short beginning stands for few.
 */
function isBeginning(word: string): boolean {
  const lastPart = word.match(/[\p{L}\p{N}]+/gu)?.at(-1) ?? "";
  return lastPart.length >= beginningCharsMin || /\p{Lo}/u.test(lastPart);
}

export type SearchFilter = ConversationRowFilter & { matchQuery: string };

interface TurnPlace {
  key: number;
  turnId: string;
  seq: number;
  conversationId: string;
}

export interface FoundConversation {
  row: ConversationRow;
  /** Its newest turns that match, the newest first. */
  turns: TurnPlace[];
}

/** Conversations with a turn that holds all words, the one changed last first. */
export function searchConversations(database: Database, filter: SearchFilter): FoundConversation[] {
  const turnKeys = listMatchedTurns(database, filter.matchQuery);
  const isRare = turnKeys.length <= rareTurnsMax;
  return isRare ? searchRare(database, filter, turnKeys) : searchCommon(database, filter);
}

/** The newest turns that match: one more than are rare. */
function listMatchedTurns(database: Database, matchQuery: string): number[] {
  return database
    .query<{ turnKey: number }, { matchQuery: string }>(
      `select rowid as turnKey from turns_search where turns_search match :matchQuery
       order by rowid desc limit ${rareTurnsMax + 1}`,
    )
    .all({ matchQuery })
    .map((row) => row.turnKey);
}

/** Few turns match: their conversations are looked up. */
function searchRare(database: Database, filter: SearchFilter, turnKeys: readonly number[]) {
  const places = listTurnPlaces(database, turnKeys);
  const conversationIds = JSON.stringify([...places.keys()]);
  const rows = database
    .query<ConversationRow, Record<string, string | number>>(
      `select ${conversationColumns} from conversations
       where ${wantedBy(filter)} and id in (select value from json_each(:conversationIds))
       ${newestFirst} limit :limit`,
    )
    .all({ ...bindingsOf(filter), conversationIds });
  return foundAt(rows, places);
}

/**
 * Many turns match: the conversations are gone through in the list's order, and the page is soon full. The
 * inner limit keeps SQLite from asking twice for the turns of a conversation, and the plus from going through
 * all that match for each of them.
 */
function searchCommon(database: Database, filter: SearchFilter): FoundConversation[] {
  const rows = database
    .query<ConversationRow & { turnKeys: string }, Record<string, string | number>>(
      `select * from (
         select ${conversationColumns}, (
           select json_group_array(key) from (
             select key from turns
             where conversation_id = conversations.id and seq is not null and +key in (
               select rowid from turns_search where turns_search match :matchQuery)
             order by seq desc limit ${matchesPerConversation})) as turnKeys
         from conversations where ${wantedBy(filter)} ${newestFirst} limit -1)
       where turnKeys <> '[]' limit :limit`,
    )
    .all({ ...bindingsOf(filter), matchQuery: filter.matchQuery });
  const turnKeys = rows.flatMap((row) => JSON.parse(row.turnKeys) as number[]);
  return foundAt(rows, listTurnPlaces(database, turnKeys));
}

/** By conversation, the newest first. */
function listTurnPlaces(database: Database, turnKeys: readonly number[]): Map<string, TurnPlace[]> {
  const places = database
    .query<TurnPlace, { turnKeys: string }>(
      `select key, id as turnId, seq, conversation_id as conversationId from turns
       where key in (select value from json_each(:turnKeys)) order by seq desc`,
    )
    .all({ turnKeys: JSON.stringify(turnKeys) });
  return Map.groupBy(places, (place) => place.conversationId);
}

function foundAt(
  rows: readonly ConversationRow[],
  places: ReadonlyMap<string, TurnPlace[]>,
): FoundConversation[] {
  return rows.map((row) => ({ row, turns: places.get(row.id)!.slice(0, matchesPerConversation) }));
}

/** As lists show them, with the pieces of text around the matched words. */
export function withMatches(
  database: Database,
  matchQuery: string,
  found: readonly FoundConversation[],
): ConversationListItem[] {
  const turnKeys = found.flatMap(({ turns }) => turns.map(({ key }) => key));
  const snippets = findSnippets(database, matchQuery, turnKeys);
  const matchOf = ({ key, turnId, seq }: TurnPlace): Match => {
    return { turnId, seq, ...(snippets.get(key) ?? noSnippet) };
  };
  return found.map(({ row, turns }) => ({ ...headOf(row), matches: turns.map(matchOf) }));
}
