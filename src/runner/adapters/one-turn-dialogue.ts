import type { Decoded, Dialogue, DialogueSpec } from "./adapter.ts";
import { anomaly } from "./decoded.ts";
import { firstPrompt } from "./first-prompt.ts";
import { parseObject, typeOf } from "./json-line.ts";
import type { Read } from "./line-reader.ts";
import { unknownEvent } from "./unknown-events.ts";

/** What is known of a process that gets one turn: its prompt is all that is written, and it prints a JSON object a line. */
export interface Reading<Turn> {
  readonly spec: DialogueSpec;
  phase: "silent" | "running" | "ended";
  /** What the turn has told so far, as far as later lines depend on it. */
  turn: Turn;
  readonly shownTypes: Set<string>;
}

/** What differs between the CLIs that are spoken to so. */
export interface OneTurnWords<Turn> {
  newTurn(spec: DialogueSpec): Turn;
  /** By the type of the line. One that ends the turn sets the phase. */
  readonly readers: ReadonlyMap<string, Read<Reading<Turn>, Decoded>>;
  /** A line of this type that came when the turn was over. */
  readLate(type: string): Decoded[];
  /** A line of stderr of a running turn. */
  readErrorLine?(turn: Turn, line: string): Decoded[];
}

/**
 * Speaks with one process for one turn. Such a form has no place of its own for a system prompt, so it stands before
 * the first prompt of a session, and a session that goes on has it.
 */
export function openOneTurnDialogue<Turn>(words: OneTurnWords<Turn>, spec: DialogueSpec): Dialogue {
  const reading: Reading<Turn> = {
    spec,
    phase: "silent",
    turn: words.newTurn(spec),
    shownTypes: new Set(),
  };
  const { readErrorLine } = words;
  return {
    get prompted() {
      return reading.phase !== "silent";
    },
    begin(prompt) {
      reading.phase = "running";
      reading.turn = words.newTurn(spec);
      return [{ kind: "write", input: spec.resume ? prompt : firstPrompt(spec.systemPrompt, prompt) }];
    },
    decode: (line) => decode(words, reading, line),
    ...(readErrorLine && {
      decodeError: (line: string) => (reading.phase === "running" ? readErrorLine(reading.turn, line) : []),
    }),
    interrupt: () => null,
  };
}

/** What isn't JSON may be a banner, or what a slash command prints (recording slash_command of Gemini CLI). */
function decode<Turn>(words: OneTurnWords<Turn>, reading: Reading<Turn>, line: string): Decoded[] {
  const value = parseObject(line);
  const hasEnded = reading.phase !== "running";
  if (!value) return [anomaly(hasEnded ? "output_after_result" : "parse_error", line)];
  const type = typeOf(value);
  if (hasEnded) return words.readLate(type);
  return words.readers.get(type)?.(reading, value) ?? unknownEvent(reading.shownTypes, type);
}
