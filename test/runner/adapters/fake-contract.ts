import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PermissionMode } from "../../../src/domain/agent.ts";
import { answerOf, isText, sessionOf, verdicts } from "../../contract/decoded.ts";
import { waitFor } from "../../helpers/wait.ts";
import { type FakeStage, forms } from "./fake-stage.ts";

/** What is particular to a fake, in words for the titles. */
export interface FakeTraits {
  /** Its one-turn form, and what ends a turn there. */
  oneTurn: string;
  end: string;
  /** By which a warm turn is interrupted. */
  interrupt: string;
  /** What kinds of lines came in which order; several of a kind in a row count as one. */
  kindsOf(lines: readonly string[]): string[];
  /** Of its one-turn form, with the prompt that makes the fake say the same. */
  recordings: readonly (readonly [name: string, prompt: string, permissionMode: PermissionMode])[];
  /** Prompts of its own, with how the process of one turn ends and how many ends that turn has. */
  exits: readonly Exit[];
}

type Exit = readonly [prompt: string, how: number | NodeJS.Signals, ends: number];

/** As every fake does (test/fixtures/bin/fake-parts). */
const exits: readonly Exit[] = [
  ["exit=4", 4, 0],
  ["exit-late=5", 5, 0],
  ["liar", 0, 0],
  ["crash", "SIGSEGV", 0],
  ["complain=oops", 1, 0],
  ["liar-exit=3", 3, 1],
  ["banner", 0, 1],
  ["unknown-events=2", 0, 1],
];

/** The tests of what the fakes of Gemini and Droid have in common. */
export function fakeContract(stage: FakeStage, traits: FakeTraits): void {
  const { kindsOf } = traits;

  test.each(traits.recordings)(
    "its lines come in the order of the recording %s",
    async (name, prompt, permissionMode) => {
      const { lines } = await stage.carry(prompt, { permissionMode });

      expect(kindsOf(lines)).toEqual(kindsOf(stage.recorded(name)));
    },
  );

  test.each(forms)("it remembers a session over its processes (%s)", async (form) => {
    await using before = stage.start(form);
    const sessionId = sessionOf(await before.say("first"));
    before.closeInput();
    expect(await before.exited).toBe(0);

    await using after = stage.start(form, { sessionId, resume: true });

    expect(answerOf(await after.say("recall"))).toBe("Earlier you said: first");
  });

  test(`deaf hears neither ${traits.interrupt} nor a polite signal`, async () => {
    const log = join(stage.home.path, "deaf.jsonl");
    await using fake = stage.start("warm", {}, { env: { FAKE_LOG: log } });
    fake.send("deaf");
    await fake.until(isText, "the first text");

    for (const signal of ["SIGINT", "SIGTERM"] as const) fake.signal(signal);
    fake.interrupt("stop");
    const ignored = () => readFileSync(log, "utf8").split("ignored").length - 1;
    await waitFor(() => ignored() === 3, { what: "all to be ignored" });

    expect(verdicts(fake.decoded)).toEqual([]);
  });

  test.each([...exits, ...traits.exits])(
    `%s ends ${traits.oneTurn} with %p and %p ${traits.end}`,
    async (prompt, how, ends) => {
      const { exit, decoded } = await stage.carry(prompt);

      expect(exit).toBe(how);
      expect(verdicts(decoded)).toHaveLength(ends);
    },
  );
}
