import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { droidAdapter } from "../../../src/runner/adapters/droid.ts";
import { eventsOf, sessionOf, verdicts } from "../../contract/decoded.ts";
import { isInstalled } from "../../real-clis/install.ts";
import { openRealStage } from "./real-stage.ts";
import type { Talk } from "./talk.ts";

/* What only the real CLI can show of our protocol; what it does through the server stands in test/real-clis. */

setDefaultTimeout(90_000);

/** Its input is closed, and it ends by itself. */
async function leave(talk: Talk): Promise<void> {
  talk.closeInput();
  await talk.exited;
}

describe.skipIf(!isInstalled("droid"))("the real Droid", () => {
  test("in mode read is offered no shell in one turn, and may use none when it is warm", async () => {
    await using stage = openRealStage("droid", droidAdapter);
    await using once = stage.start("oneTurn", { permissionMode: "read" });
    await using warm = stage.start("warm", { permissionMode: "read" });

    await once.say("use tool `touch made.txt`");
    const asked = await warm.say("use tool `touch made.txt`");

    expect(stage.api.requests[0]?.toolNames).not.toContain("Execute");
    expect(stage.api.requests[0]?.toolNames).toContain("Read");
    expect(eventsOf(asked, "notice")).toMatchObject([{ code: "permission_denied" }]);
    expect(existsSync(join(stage.cwd, "made.txt"))).toBe(false);
  });

  test("goes on in its session under the agent's new permission mode, in both forms", async () => {
    await using stage = openRealStage("droid", droidAdapter);
    await using full = stage.start("warm", { permissionMode: "full" });
    const sessionId = sessionOf(await full.say("risk=high use tool `touch full.txt`"));
    await leave(full);
    await using loaded = stage.start("warm", { permissionMode: "edit", sessionId, resume: true });
    await using forked = stage.start("oneTurn", { permissionMode: "edit", sessionId, resume: true });

    await loaded.say("risk=high use tool `touch loaded.txt`");
    await leave(loaded);
    await forked.say("risk=high use tool `touch forked.txt`");

    const made = ["full.txt", "loaded.txt", "forked.txt"].map((name) => existsSync(join(stage.cwd, name)));
    expect(made).toEqual([true, false, false]);
  });

  test("keeps the system prompt of a warm session when it is loaded and when it is forked", async () => {
    await using stage = openRealStage("droid", droidAdapter);
    await using begun = stage.start("warm", {}, "KEEP-THIS");
    const sessionId = sessionOf(await begun.say("one"));
    await leave(begun);
    await using loaded = stage.start("warm", { sessionId, resume: true });
    await loaded.say("two");
    await leave(loaded);
    await using forked = stage.start("oneTurn", { sessionId, resume: true });
    await forked.say("three");

    const systemPrompts = stage.api.requests.map(({ systemPrompt }) => systemPrompt);
    // One request a turn: no title was asked for besides.
    expect(systemPrompts.map((systemPrompt) => systemPrompt.includes("KEEP-THIS"))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("is not asked under another model when it doesn't know the agent's", async () => {
    await using stage = openRealStage("droid", droidAdapter);
    await using warm = stage.start("warm", { model: "no-such-model" });
    await using once = stage.start("oneTurn", { model: "no-such-model" });

    await warm.say("hello");
    once.send("hello");
    await once.exited;

    expect(verdicts(warm.decoded)).toMatchObject([{ kind: "unready", code: "cli_error" }]);
    expect(await once.stderr()).toStartWith("Invalid model: no-such-model");
    expect(stage.api.requests).toHaveLength(0);
  });
});
