import { afterAll, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { demoAdapter } from "../../../src/runner/adapters/demo.ts";
import { answerOf, eventsOf, verdicts } from "../../contract/decoded.ts";
import { descendantsOf } from "../../helpers/survivors.ts";
import { makeTempFolder } from "../../helpers/temp.ts";
import { waitFor } from "../../helpers/wait.ts";
import { startTalk, type Talk } from "./talk.ts";

const home = makeTempFolder();
afterAll(() => home[Symbol.dispose]());

function startDemo(spec: { sessionId?: string; resume?: boolean } = {}, systemPrompt?: string): Talk {
  return startTalk({
    dialect: demoAdapter.dialects.warm,
    spec: { executable: process.execPath, sessionId: randomUUID(), ...spec },
    home: home.path,
    ...(systemPrompt === undefined ? {} : { systemPrompt }),
  });
}

test("the demo needs no sign-in, offers every permission mode and is labelled as a demo", async () => {
  await using demo = startDemo();

  const decoded = await demo.say("hello");

  expect(demoAdapter.signInVariables).toEqual([]);
  expect(demoAdapter.permissionModes(true)).toEqual(["read", "edit", "full"]);
  expect(eventsOf(decoded, "session")[0]?.model).toBe("headway-demo");
  expect(answerOf(decoded)).toContain("demo agent");
});

test("the demo's Markdown, table and code stream in pieces and are its result", async () => {
  const turns = await Promise.all(
    ["markdown", "table", "code"].map(async (topic) => {
      await using demo = startDemo();
      return await demo.say(topic);
    }),
  );

  for (const decoded of turns) {
    expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded", result: answerOf(decoded) }]);
    expect(eventsOf(decoded, "text").length).toBeGreaterThan(10);
  }
});

test("a resumed session remembers what an earlier process was asked", async () => {
  const sessionId = randomUUID();
  await using before = startDemo({ sessionId });
  await before.say("think of a number");
  before.closeInput();
  await before.exited;

  await using after = startDemo({ sessionId, resume: true });

  expect(answerOf(await after.say("remember?"))).toContain("think of a number");
});

test("a session that nobody began can't be resumed, in the words of the real CLI", async () => {
  await using demo = startDemo({ resume: true });

  await demo.until(({ kind }) => kind === "turn.ended", "the refusal");

  expect(verdicts(demo.decoded)).toMatchObject([{ kind: "failed", code: "session_lost" }]);
  expect(await demo.exited).toBe(1);
});

test("the system prompt reaches the demo by protocol", async () => {
  await using demo = startDemo({}, "Be brief.");

  expect(answerOf(await demo.say("remember"))).toContain("Your system prompt has 9 characters.");
});

test("a turn is carried to its end although the input is closed at once, and then the demo exits", async () => {
  await using demo = startDemo();

  demo.send("think");
  demo.closeInput();

  expect(await demo.exited).toBe(0);
  expect(verdicts(demo.decoded)).toMatchObject([{ kind: "succeeded" }]);
});

test.each(["interrupt", "SIGINT", "SIGTERM"] as const)(
  "a slow tool ends with the turn on %s",
  async (how) => {
    await using demo = startDemo();
    demo.send("a slow tool");
    const sleeps = () => descendantsOf(demo.pid).filter(({ argv }) => argv.includes("20"));
    await waitFor(() => sleeps().length > 0, { what: "the tool's process" });

    if (how === "interrupt") demo.interrupt("stop");
    else demo.signal(how);

    await waitFor(() => sleeps().length === 0, { what: "the end of the tool's process" });
    if (how !== "SIGTERM") await demo.until(({ kind }) => kind === "turn.ended", "the end of the turn");
    if (how !== "interrupt") expect(await demo.exited).toBe(how === "SIGINT" ? 0 : 143);
  },
);

test("an edit is told as a real CLI tells it, and touches no file", async () => {
  await using demo = startDemo();

  const decoded = await demo.say("show me an edit");

  const [started] = eventsOf(decoded, "tool.started");
  expect(started).toMatchObject({ name: "Edit", input: { file_path: "greeting.ts" } });
  expect(existsSync(join(home.path, "greeting.ts"))).toBe(false);
});
