import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { makeTempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";
import { startTalk, type Talk } from "../runner/adapters/talk.ts";
import { failureOf } from "./contract-of-errors.ts";
import { answerOf, isEnd, isText, sessionOf, verdicts } from "./decoded.ts";
import type { FakeCli } from "./dialect-case.ts";
import { keeps, type Subject } from "./keeping.ts";

/** The same promises, kept by a real process: the fake CLI that speaks the dialect. */
export function promisesAboutProcesses(subject: Subject): void {
  keeps(subject, "processTurn", async () => {
    await using stage = openStage(subject);
    const talk = stage.start();

    const decoded = await talk.say(stage.fake.hello.prompt);

    expect(answerOf(decoded)).toBe(stage.fake.hello.answer);
    expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
    if (!subject.dialect.promptEndsInput) talk.closeInput();
    expect(await talk.exited).toBe(0);
  });

  keeps(subject, "processSecond", async () => {
    await using stage = openStage(subject);
    const talk = stage.start();

    await talk.say(stage.fake.hello.prompt);

    expect(answerOf(await talk.say(stage.fake.recall.prompt))).toContain(stage.fake.recall.answer);
  });

  keeps(subject, "processResume", async () => {
    await using stage = openStage(subject);
    const before = stage.start();
    const sessionId = sessionOf(await before.say(stage.fake.hello.prompt));
    if (!subject.dialect.promptEndsInput) before.closeInput();
    await before.exited;

    const after = stage.start({ sessionId, resume: true });

    expect(answerOf(await after.say(stage.fake.recall.prompt))).toContain(stage.fake.recall.answer);
  });

  keeps(subject, "processCancel", async () => {
    await using stage = openStage(subject);
    const talk = stage.start();
    talk.send(stage.fake.hold.prompt);
    await talk.until(isText, "the first text");

    if (subject.has("interrupt")) await expectInterrupted(talk, stage.fake);
    else await expectEndedBySignal(talk, subject);
  });

  keeps(subject, "processLost", async () => {
    await using stage = openStage(subject);
    const talk = stage.start({ resume: true });

    talk.send(stage.fake.hello.prompt);
    await waitFor(() => verdicts(talk.decoded).length > 0 || stage.exit(talk) !== null, {
      what: "the refusal",
    });

    const said = { stderr: verdicts(talk.decoded).length > 0 ? "" : await talk.stderr() };
    expect(failureOf(subject.dialect, talk, said, talk.decoded)?.code).toBe("session_lost");
  });
}

/** The turn ends as aborted, and the process carries another one. */
async function expectInterrupted(talk: Talk, fake: FakeCli): Promise<void> {
  talk.interrupt("stop");
  await talk.until(isEnd, "the end of the interrupted turn");
  expect(verdicts(talk.decoded)).toEqual([{ kind: "aborted" }]);

  expect(answerOf(await talk.say(fake.hello.prompt))).toBe(fake.hello.answer);
}

async function expectEndedBySignal(talk: Talk, { dialect }: Subject): Promise<void> {
  talk.signal("SIGINT");
  await talk.exited;
  const verdict = verdicts(talk.decoded)[0];
  expect(verdict === undefined || verdict.kind === "aborted" || dialect.goesOnWhenSignalled).toBe(true);
}

interface Stage extends AsyncDisposable {
  fake: FakeCli;
  start(spec?: { sessionId?: string; resume?: boolean }): Talk;
  /** How a process ended; null while it lives. */
  exit(talk: Talk): number | NodeJS.Signals | null;
}

/** A home of its own for the processes of one test, which are ended with it. */
function openStage(subject: Subject): Stage {
  const fake = subject.specimen("process");
  const home = makeTempFolder();
  const talks: Talk[] = [];
  const exits = new Map<Talk, number | NodeJS.Signals>();
  return {
    fake,
    start(spec = {}) {
      const talk = startTalk({
        dialect: subject.dialect,
        spec: { executable: fake.executable, sessionId: randomUUID(), ...spec },
        home: home.path,
        ...(fake.env ? { env: fake.env } : {}),
      });
      talks.push(talk);
      void talk.exited.then((exit) => exits.set(talk, exit));
      return talk;
    },
    exit: (talk) => exits.get(talk) ?? null,
    async [Symbol.asyncDispose]() {
      for (const talk of talks) await talk[Symbol.asyncDispose]();
      home[Symbol.dispose]();
    },
  };
}
