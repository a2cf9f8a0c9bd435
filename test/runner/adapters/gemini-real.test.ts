import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SessionSpec } from "../../../src/runner/adapters/adapter.ts";
import { geminiAdapter } from "../../../src/runner/adapters/gemini.ts";
import { verdicts } from "../../contract/decoded.ts";
import { startFakeModelApi } from "../../helpers/fake-model-api.ts";
import { makeTempFolder } from "../../helpers/temp.ts";
import { setupOf } from "../../real-clis/cli-setup.ts";
import { isInstalled, realCliPath } from "../../real-clis/install.ts";
import { startTalk } from "./talk.ts";

/* What only the real CLI can show of our command lines; what it does through the server stands in test/real-clis. */

setDefaultTimeout(90_000);

/** An empty home, an API of ours, and the real Gemini CLI spoken to in one of its forms. */
function openStage() {
  const home = makeTempFolder();
  const cwd = join(home.path, "project");
  mkdirSync(cwd);
  const api = startFakeModelApi();
  const executable = realCliPath("gemini") ?? "";
  const { env, homeFiles } = setupOf("gemini", api.url, executable);
  for (const [path, text] of Object.entries(homeFiles)) {
    mkdirSync(dirname(join(home.path, path)), { recursive: true });
    writeFileSync(join(home.path, path), text);
  }
  const start = (form: "warm" | "oneTurn", spec: Partial<SessionSpec> = {}) =>
    startTalk({
      dialect: geminiAdapter.dialects[form],
      spec: { executable, sessionId: randomUUID(), cwd, model: "gemini-2.5-pro", ...spec },
      home: home.path,
      env: { ...env, TMPDIR: home.path },
    });
  return {
    api,
    cwd,
    start,
    async [Symbol.asyncDispose]() {
      await api.stop();
      home[Symbol.dispose]();
    },
  };
}

/** What a model would do to give itself full permission: plan, have the plan approved by nobody, and act. */
const escape =
  'call `enter_plan_mode {"reason":"x"}` ' +
  'call `exit_plan_mode {"plan_path":"x.md","plan_filename":"x.md"}` ' +
  'call `run_shell_command {"command":"touch escaped.txt","description":"x"}`';

describe.skipIf(!isInstalled("gemini"))("the real Gemini CLI", () => {
  test.each([
    ["oneTurn", "read"],
    ["oneTurn", "edit"],
    ["warm", "read"],
    ["warm", "edit"],
  ] as const)(
    "in form %s, a model can't leave permission mode %s by itself",
    async (form, permissionMode) => {
      await using stage = openStage();
      await using gemini = stage.start(form, { permissionMode });

      const decoded = await gemini.say(escape);

      const offered = stage.api.requests.flatMap(({ toolNames }) => toolNames);
      expect(verdicts(decoded)).toMatchObject([{ kind: "succeeded" }]);
      expect(existsSync(join(stage.cwd, "escaped.txt"))).toBe(false);
      expect(offered.filter((name) => name.endsWith("_plan_mode"))).toEqual([]);
    },
  );

  test("gets odd prompts on stdin as they are, without -p", async () => {
    await using stage = openStage();
    const prompts = ["--help", "-x", "//no command", "mail a@b.example", `${"ünïcödé ✓ ".repeat(20_000)}END`];

    for (const prompt of prompts) {
      await using gemini = stage.start("oneTurn");
      await gemini.say(prompt);
    }

    const arrived = stage.api.requests.map(({ history }) => history.at(-1)?.text ?? "");
    expect(arrived.map((text) => text.slice(-40))).toEqual(prompts.map((prompt) => prompt.slice(-40)));
    expect(arrived.map(({ length }) => length)).toEqual(prompts.map(({ length }) => length));
  });
});
