import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectJson } from "../helpers/http.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { openStage } from "./stage.ts";

const fakes = join(import.meta.dir, "..", "fixtures", "bin");

interface CliList {
  items: { cli: string; version: string | null; minimum: string | null; notes: string[] }[];
}

/** A package as npm lays it out, whose program is the scripted CLI. */
function packageOf(folder: string, name: string, version: string, fake: string): string {
  const program = join(folder, version, "cli.sh");
  mkdirSync(join(folder, version));
  writeFileSync(join(folder, version, "package.json"), JSON.stringify({ name, version, bin: "cli.sh" }));
  writeFileSync(program, `#!/bin/sh\nexec ${join(fakes, fake)} "$@"\n`);
  chmodSync(program, 0o755);
  return program;
}

test.each([
  ["claude", "@anthropic-ai/claude-code", "2.1.162", "2.1.163", "fake-claude", "HEADWAY_CLAUDE_PATH"],
  ["gemini", "@google/gemini-cli", "0.39.0", "0.39.1", "fake-gemini", "HEADWAY_GEMINI_PATH"],
] as const)(
  "%s that is too old is not started: the run says why and what to do, and nothing else is refused",
  async (cli, name, old, minimum, fake, variable) => {
    using folder = makeTempFolder();
    const tooOld = packageOf(folder.path, name, old, fake);
    const oldest = packageOf(folder.path, name, minimum, fake);
    await using stage = await openStage({ [variable]: tooOld });
    const agent = await stage.agent({ cli });

    const { body: refused } = await agent.execute("hello");
    const { items } = await expectJson<CliList>(stage.server.fetch, 200, "GET", "/api/clis");
    await stage.server.stop();
    await stage.server.restart({ [variable]: oldest });
    const { body: carried } = await agent.execute("hello again");

    expect(refused).toMatchObject({ state: "failed", error: { code: "cli_too_old" } });
    for (const part of [old, minimum, "Update it"]) expect(refused.error?.message).toContain(part);
    expect(items.find((item) => item.cli === cli)).toMatchObject({ version: old, minimum });
    expect(carried).toMatchObject({ state: "succeeded", content: "You said: hello again" });
  },
);

test("a version that is newer than the tested one is carried, and the list of CLIs says so", async () => {
  using folder = makeTempFolder();
  const newer = packageOf(folder.path, "@google/gemini-cli", "99.1.0", "fake-gemini");
  await using stage = await openStage({ HEADWAY_GEMINI_PATH: newer, HEADWAY_WARM_PROCESSES: "0" });
  const agent = await stage.agent({ cli: "gemini" });

  const { body: run } = await agent.execute("hello");
  const { items } = await expectJson<CliList>(stage.server.fetch, 200, "GET", "/api/clis");

  expect(run).toMatchObject({ state: "succeeded", cliVersion: "99.1.0" });
  const gemini = items.find(({ cli }) => cli === "gemini");
  expect(gemini?.version).toBe("99.1.0");
  expect(gemini?.notes.join("\n")).toContain("0.61.0");
});

test("a warm process of a version that turns out to be too old carries no further turn", async () => {
  using folder = makeTempFolder();
  const go = join(folder.path, "go");
  const program = join(folder.path, "claude-of-unknown-age");
  const tellsVersionLate = `[ "$1" = --version ] && { until [ -e ${go} ]; do sleep 0.02; done; echo 2.1.100; exit; }`;
  const tellsItInItsTurns = `${join(fakes, "fake-claude")} "$@" | sed -u s/2.1.330/2.1.100/`;
  writeFileSync(program, `#!/bin/sh\n${tellsVersionLate}\n${tellsItInItsTurns}\n`);
  chmodSync(program, 0o755);
  await using stage = await openStage({ HEADWAY_CLAUDE_PATH: program });
  const agent = await stage.agent();

  const { body: before } = await agent.execute("hello");
  writeFileSync(go, "");
  const { items } = await expectJson<CliList>(stage.server.fetch, 200, "GET", "/api/clis");
  const { body: after } = await agent.execute("hello again");

  expect(before).toMatchObject({ state: "succeeded", cliVersion: "2.1.100" });
  expect(items.find(({ cli }) => cli === "claude")?.version).toBe("2.1.100");
  expect(after).toMatchObject({ state: "failed", error: { code: "cli_too_old" } });
});
