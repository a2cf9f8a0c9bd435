/** Cursors are opaque to clients: base64url of the list's name and the numbers of its last item. */
export function encodeCursor(list: string, position: readonly number[]): string {
  return btoa([list, ...position].join(":"))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The numbers of a cursor of this list; null when there is none or it isn't ours. */
export function decodeCursor(list: string, cursor: string | null, length: number): number[] | null {
  if (cursor === null || !/^[A-Za-z0-9_-]{1,200}$/.test(cursor)) return null;
  const [name, ...numbers] = fromBase64Url(cursor).split(":");
  const position = numbers.map((text) => (/^\d{1,15}$/.test(text) ? Number(text) : Number.NaN));
  const isOurs = name === list && position.length === length && position.every(Number.isSafeInteger);
  return isOurs ? position : null;
}

/** Text that isn't base64 after all decodes to "". */
function fromBase64Url(cursor: string): string {
  const unpadded = cursor.replaceAll("-", "+").replaceAll("_", "/");
  return unpadded.length % 4 === 1 ? "" : atob(unpadded);
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
