import { emptyAnswer, finalText, foldAnswer, type RunEventBody } from "../../src/domain/event.ts";
import type { Decoded, Verdict } from "../../src/runner/adapters/adapter.ts";

/* What the tests ask of what a dialogue has made of a CLI's lines. */

export function eventsOf<T extends RunEventBody["type"]>(decoded: readonly Decoded[], type: T) {
  return decoded.flatMap((one) =>
    one.kind === "event" && one.event.type === type ? [one.event as Extract<RunEventBody, { type: T }>] : [],
  );
}

/** The answer as everybody else rebuilds it from the log. */
export function answerOf(decoded: readonly Decoded[]): string {
  const answer = emptyAnswer();
  for (const one of decoded) if (one.kind === "event") foldAnswer(answer, one.event);
  return finalText(answer);
}

export const isText = (one: Decoded) => one.kind === "event" && one.event.type === "text";
export const isTool = (one: Decoded) => one.kind === "event" && one.event.type === "tool.started";
export const isEnd = ({ kind }: Decoded) => kind === "turn.ended";

export function verdicts(decoded: readonly Decoded[]): Verdict[] {
  return decoded.flatMap((one) => (one.kind === "turn.ended" ? [one.verdict] : []));
}

export function anomalyCodes(decoded: readonly Decoded[]): string[] {
  return decoded.flatMap((one) => (one.kind === "anomaly" ? [one.code] : []));
}

/** What has to be written to the CLI's input, in the order in which it has to be. */
export function inputsOf(decoded: readonly Decoded[]): string[] {
  return decoded.flatMap((one) => (one.kind === "write" ? [one.input] : []));
}

/** By which the session is resumed: the one that the CLI made, where it made another than was asked for. */
export function sessionOf(decoded: readonly Decoded[]): string {
  const other = decoded.find((one) => one.kind === "session.mismatch");
  const named = other ? other.cliSessionId : eventsOf(decoded, "session").at(-1)?.cliSessionId;
  if (named === undefined) throw new Error("The CLI named no session.");
  return named;
}
