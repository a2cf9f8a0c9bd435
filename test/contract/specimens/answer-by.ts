import type { Specimens } from "../dialect-case.ts";

/** Reads the answer to a question for permission; the pattern's first group is what was chosen. */
export function answerBy(
  pattern: RegExp,
  isGrant: (chosen: string) => boolean,
): Specimens["permission"]["answerIn"] {
  return (input) => {
    const chosen = pattern.exec(input)?.[1];
    if (chosen === undefined) return null;
    return isGrant(chosen) ? "granted" : "refused";
  };
}
