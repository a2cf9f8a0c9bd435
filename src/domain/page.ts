import { z } from "zod";

export const pageLimitDefault = 50;
export const pageLimitMax = 500;

/** `limit` is clamped rather than refused; anything that isn't a number is refused. */
export const limitSchema = z.coerce
  .number()
  .describe(`Items of a page, 1 to ${pageLimitMax}; other numbers are clamped.`)
  .default(pageLimitDefault)
  .transform((limit) => Math.min(pageLimitMax, Math.max(1, Math.trunc(limit))));

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export function pageSchema<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}
