import { readCursor } from "../domain/cursor.ts";

/** Cursors are opaque to clients: base64url of the list's name and the numbers of its last item. */
export function encodeCursor(list: string, position: readonly number[]): string {
  return btoa([list, ...position].join(":"))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The numbers of a cursor of this list; null when there is none or it isn't ours. */
export function decodeCursor(list: string, cursor: string | null, length: number): number[] | null {
  return cursor === null ? null : readCursor(list, cursor, length);
}

/** Cuts a list that was read with one item more than asked for. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  cursorOf: (row: Row) => string,
): { items: Item[]; nextCursor: string | null } {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return { items: kept.map(item), nextCursor: hasMore ? cursorOf(last) : null };
}
