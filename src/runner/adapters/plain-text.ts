/* eslint-disable no-control-regex -- control characters are what this file is about. */

/** C0 but for tab, line feed and carriage return, DEL, and C1. */
const controlCharacter = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;
/** A terminal's sequences, colours above all, and then any such character that is left. */
const terminalSequence = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g;
const controlCharacters = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/**
 * What a CLI says as text to be kept and shown: without NUL, which SQLite takes for the end, and without
 * what would steer a terminal that the log is printed on.
 */
export function plainText(text: string): string {
  if (!controlCharacter.test(text)) return text;
  return text.replaceAll(terminalSequence, "").replaceAll(controlCharacters, "");
}

export function plainOrNull(text: string | undefined): string | null {
  return text === undefined ? null : plainText(text);
}
