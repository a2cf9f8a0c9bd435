import { z } from "zod";

const notOurs = "must be the nextCursor of a page of this list";

/**
 * The numbers of a cursor of this list, `length` of them; null when it isn't ours. Whether the item that they
 * tell is still there is not asked.
 */
export function readCursor(list: string, cursor: string, length: number): number[] | null {
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(cursor)) return null;
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

/** A cursor as a query gives it: of this list; one without a character asks for the first page. */
export function cursorSchema(list: string, length: number) {
  return z
    .string()
    .max(200, { abort: true })
    .refine((cursor) => cursor === "" || readCursor(list, cursor, length) !== null, { error: notOurs })
    .optional();
}

/** The cursor of a list of events is the number of the last one. */
export const eventCursorSchema = z
  .string()
  .max(200, { abort: true })
  .refine((cursor) => /^\d{0,15}$/.test(cursor), { error: notOurs })
  .optional();
