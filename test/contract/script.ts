import type { Decoded, Dialect, Dialogue, DialogueSpec } from "../../src/runner/adapters/adapter.ts";
import { inputsOf } from "./decoded.ts";

/**
 * A line as a CLI prints it, or a reply of JSON-RPC: that is said with the id of the first request of its
 * method that has no reply yet, whichever the dialogue has given to it.
 */
export type Line = string | Reply;

export interface Reply {
  replyTo: string;
  /** With any id. */
  line: string;
}

/** A dialogue with a CLI that isn't there: its part is read from a script. */
export interface Rehearsal {
  readonly dialogue: Dialogue;
  /** All that was written to the CLI so far, each as it was given. */
  readonly inputs: readonly string[];
  /** All lines that the CLI has said so far, as it said them. */
  readonly lines: readonly string[];
  begin(prompt: string): Decoded[];
  /** Has the running turn ended by protocol, where the dialect can. */
  interrupt(): void;
  /** Whether a request of this method has no reply yet. */
  awaits(method: string): boolean;
  say(lines: readonly Line[]): Decoded[];
  sayError(text: string): Decoded[];
  /** Replies with nothing to each request whose method isn't among these. */
  sayEmptyReplies(exceptTo: readonly string[]): Decoded[];
}

export function rehearse(dialect: Dialect, spec: DialogueSpec): Rehearsal {
  const dialogue = dialect.open(spec);
  const inputs: string[] = [];
  const lines: string[] = [];
  const replied = new Set<string>();

  function note(decoded: Decoded[]): Decoded[] {
    inputs.push(...inputsOf(decoded));
    return decoded;
  }
  function openRequest(wanted: string): Message | undefined {
    return messagesIn(inputs).find(
      ({ id, method }) => id !== undefined && method === wanted && !replied.has(String(id)),
    );
  }
  function addressed({ replyTo, line }: Reply): string {
    const id = openRequest(replyTo)?.id;
    if (id === undefined) throw new Error(`The script replies to ${replyTo}, which nobody has asked.`);
    replied.add(String(id));
    return JSON.stringify({ ...parseMessage(line), id });
  }
  function sayLine(line: Line): Decoded[] {
    const said = typeof line === "string" ? line : addressed(line);
    lines.push(said);
    return note(dialogue.decode(said));
  }
  function sayEmptyReplies(exceptTo: readonly string[]): Decoded[] {
    const open = messagesIn(inputs).filter(
      ({ id, method }) =>
        id !== undefined && method !== undefined && !exceptTo.includes(method) && !replied.has(String(id)),
    );
    return open.flatMap(({ id }) => {
      replied.add(String(id));
      return sayLine(JSON.stringify({ ...emptyReply, id }));
    });
  }
  return {
    dialogue,
    inputs,
    lines,
    begin: (prompt) => note(dialogue.begin(prompt)),
    interrupt() {
      const input = dialogue.interrupt("interrupt");
      if (input !== null) inputs.push(input);
    },
    awaits: (method) => openRequest(method) !== undefined,
    say: (some) => some.flatMap(sayLine),
    sayError: (text) =>
      text.split("\n").flatMap((line) => (line === "" ? [] : note(dialogue.decodeError?.(line) ?? []))),
    sayEmptyReplies,
  };
}

/** In the form of all the protocols at once; who doesn't know a field ignores it. */
const emptyReply = { jsonrpc: "2.0", type: "response", factoryApiVersion: "1.0.0", result: {} };

interface Message {
  id?: string | number | null;
  method?: string;
}

/**
 * A recorded conversation as a script. Replies of JSON-RPC go to whatever ids the dialogue gives to its
 * requests, which aren't the recorder's; any other line stays as it is.
 */
export function scriptOf(recordedInputs: readonly string[], recordedLines: readonly string[]): Line[] {
  const methods = new Map(recordedInputs.flatMap((input) => methodById(input)));
  return recordedLines.map((line) => {
    const { id, method } = parseMessage(line);
    const asked = id === undefined || id === null || method !== undefined ? undefined : methods.get(id);
    return asked === undefined ? line : { replyTo: asked, line };
  });
}

/** The methods of the requests that were made. */
export function methodsIn(inputs: readonly string[]): string[] {
  return messagesIn(inputs).flatMap(({ method }) => method ?? []);
}

/** A script's turns, each up to the line that holds the words by which its CLI ends one. */
export function turnsOf(script: readonly Line[], lastWords: string): Line[][] {
  const ends = script.flatMap((line, at) => (printed(line).includes(lastWords) ? [at + 1] : []));
  return ends.map((end, number) => script.slice(ends[number - 1] ?? 0, end));
}

/** Up to the first line that holds the words, and the rest. */
export function splitAfter(script: readonly Line[], words: string): { before: Line[]; after: Line[] } {
  const at = script.findIndex((line) => printed(line).includes(words)) + 1;
  return { before: script.slice(0, at), after: script.slice(at) };
}

function printed(line: Line): string {
  return typeof line === "string" ? line : line.line;
}

function messagesIn(inputs: readonly string[]): Message[] {
  return inputs.flatMap((input) => input.split("\n")).map(parseMessage);
}

function methodById(input: string): [string | number, string][] {
  const { id, method } = parseMessage(input);
  return id === undefined || id === null || method === undefined ? [] : [[id, method]];
}

function parseMessage(line: string): Message {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch (error) {
    // A prompt that was written as it is, or a banner.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
