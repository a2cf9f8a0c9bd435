import { z } from "zod";

/*
 * Fields of what CLIs print. Unknown keys are dropped and a known key of an odd type counts as absent: a new
 * version must never cost a run its terminal event.
 */

export function lenient<Field extends z.ZodType>(field: Field) {
  return field.optional().catch(undefined);
}

export function listOf<Item extends z.ZodType>(item: Item) {
  return lenient(z.array(item));
}

export const text = lenient(z.string());
export const number = lenient(z.number());
export const flag = lenient(z.boolean());
