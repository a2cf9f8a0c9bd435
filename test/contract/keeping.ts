import { beforeAll, expect, test } from "bun:test";
import type { Decoded, DialogueSpec, Dialect } from "../../src/runner/adapters/adapter.ts";
import {
  type AnyDialectCase,
  dialectOfCase,
  type GivenSpecimens,
  type Said,
  type Specimens,
} from "./dialect-case.ts";
import { type Excusable, type Promised, promises } from "./promises.ts";
import { type Line, rehearse, type Rehearsal } from "./script.ts";

/** A dialect on trial, with what its CLI says. */
export interface Subject {
  readonly case: AnyDialectCase;
  readonly dialect: Dialect;
  /** The promises that got a test. */
  readonly kept: Set<Promised>;
  /** Of a situation that the dialect isn't excused from; at hand once the tests run. */
  specimen<Key extends keyof Specimens>(key: Key): NonNullable<Specimens[Key]>;
  has(key: keyof Specimens): boolean;
}

export function prepare(given: AnyDialectCase): Subject {
  let specimens: GivenSpecimens | null = null;
  beforeAll(async () => {
    specimens = await given.specimens();
  });
  const find = <Key extends keyof Specimens>(key: Key) => (specimens as Partial<Specimens> | null)?.[key];
  return {
    case: given,
    dialect: dialectOfCase(given),
    kept: new Set(),
    specimen(key) {
      const found = find(key);
      if (found === undefined || found === null)
        throw new Error(`There is no specimen "${key}" and no excuse.`);
      return found as never;
    },
    has: (key) => find(key) !== undefined,
  };
}

/** The test of a promise; none for a dialect that is excused from it. */
export function keeps(
  subject: Subject,
  promised: Promised,
  act: () => void | Promise<void>,
  detail = "",
): void {
  if (promised in subject.case.cannot) return;
  subject.kept.add(promised);
  test(`${promises[promised]}${detail}`, act);
}

/** A dialect's reasons are in words, and where it can be seen they are true. */
export function excusesAreGiven(subject: Subject): void {
  const excuses = Object.entries(subject.case.cannot) as [Excusable, string][];
  for (const [promised, reason] of excuses) {
    test(`can't keep "${promises[promised]}", and says why`, () => {
      expect(reason).toMatch(/^[A-Z0-9].{20,}[.]$/s);
      counterChecks[promised]?.(subject);
    });
  }
}

/** To be called last. */
export function nothingIsForgotten({ kept, case: { cannot } }: Subject): void {
  test("every promise is tested or excused", () => {
    const forgotten = Object.keys(promises).filter((id) => !kept.has(id as Promised) && !(id in cannot));

    expect(forgotten).toEqual([]);
  });
}

const counterChecks: Partial<Record<Excusable, (subject: Subject) => void>> = {
  version: (subject) => expect(kindsOf(playTurn(subject, "turn"))).not.toContain("version"),
  usage: (subject) => expect(kindsOf(playTurn(subject, "turn"))).not.toContain("usage"),
  second: ({ dialect }) => expect(dialect.promptEndsInput).toBe(true),
  handshake: (subject) => {
    const rehearsal = open(subject);
    rehearsal.begin("hello");
    expect(rehearsal.dialogue.prompted).toBe(true);
  },
  interrupt: ({ dialect, ...subject }) => {
    const rehearsal = open({ dialect, ...subject });
    rehearsal.begin("hello");
    expect(dialect.promptEndsInput || rehearsal.dialogue.interrupt("stop") === null).toBe(true);
  },
};

function kindsOf(decoded: readonly Decoded[]): string[] {
  return decoded.map(({ kind }) => kind);
}

/** Opens a dialogue for the session that the specimens name. */
export function open(subject: Subject, over: Partial<DialogueSpec> = {}): Rehearsal {
  return rehearse(subject.dialect, { ...baseSpec, sessionId: subject.specimen("sessionId"), ...over });
}

export const baseSpec: DialogueSpec = {
  executable: "/opt/a-cli",
  sessionId: "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69",
  resume: false,
  cwd: "/home/dev/project",
  model: null,
  permissionMode: "edit",
  mcpConfigPath: null,
  systemPrompt: null,
};

/**
 * The first turn of a process: the opening and the lines, and what all of it was decoded to. What the dialogue
 * asks for besides, a setting of the session say, it gets.
 */
export function playSaid(subject: Subject, rehearsal: Rehearsal, said: Said, prompt = "hello"): Decoded[] {
  const opening = said.opening ?? (subject.has("opening") ? subject.specimen("opening") : []);
  return [
    ...rehearsal.begin(prompt),
    ...rehearsal.say(opening),
    ...sayMissingReplies(rehearsal, [...opening, ...said.lines]),
    ...rehearsal.say(said.lines),
    ...rehearsal.sayError(said.stderr ?? ""),
  ];
}

/** Until the prompt is written, or nothing more is asked for. */
function sayMissingReplies(rehearsal: Rehearsal, lines: readonly Line[]): Decoded[] {
  const replied = lines.flatMap((line) => (typeof line === "string" ? [] : [line.replyTo]));
  const decoded: Decoded[] = [];
  for (let before = -1; before < rehearsal.lines.length && !rehearsal.dialogue.prompted;) {
    before = rehearsal.lines.length;
    decoded.push(...rehearsal.sayEmptyReplies(replied));
  }
  return decoded;
}

/** The same for a specimen, in a process of its own. */
export function playTurn(subject: Subject, key: KeyOfSaid, over: Partial<DialogueSpec> = {}): Decoded[] {
  const said: Said = subject.specimen(key);
  return playSaid(subject, openFor(subject, said, over), said);
}

/** Opens a dialogue for the session, and in the mode, that this specimen names. */
export function openFor(subject: Subject, said: Said, over: Partial<DialogueSpec> = {}): Rehearsal {
  const { sessionId = subject.specimen("sessionId"), permissionMode = baseSpec.permissionMode } = said;
  return open(subject, { sessionId, permissionMode, ...over });
}

/** Situations that are whole turns. */
export type KeyOfSaid = {
  [Key in keyof Specimens]-?: NonNullable<Specimens[Key]> extends Said ? Key : never;
}[keyof Specimens];
