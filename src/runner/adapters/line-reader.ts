import type { z } from "zod";

/** What a line, or a message, means where `state` is what is known so far; null for one that isn't what its type promises. */
export type Read<State, Meaning> = (state: State, line: unknown) => Meaning[] | null;

export function reader<State, Line, Meaning>(
  schema: z.ZodType<Line>,
  read: (state: State, line: Line) => Meaning[],
): Read<State, Meaning> {
  return (state, line) => {
    const parsed = schema.safeParse(line);
    return parsed.success ? read(state, parsed.data) : null;
  };
}
