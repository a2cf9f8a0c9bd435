import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expectJson, requestJson } from "../helpers/http.ts";
import { fakeClaude } from "../helpers/test-app.ts";
import { containmentOf } from "../runner/process/harness.ts";
import { openStage, type Stage } from "./stage.ts";

setDefaultTimeout(60_000);

/** The CLI where it is, since it needs what lies beside it. Its diary would lie in a private folder. */
const cliEnv = { HEADWAY_CLAUDE_PATH: fakeClaude, FAKE_LOG: "" };

const bwrap = await containmentOf("bwrap");
const foreign = mkdtempSync("/var/tmp/headway-foreign-");
let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ ...cliEnv, HEADWAY_WARM_PROCESSES: "4" });
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  rmSync(foreign, { recursive: true });
});

const write = (path: string) => `tool=echo x > ${path} && echo written`;

test.skipIf(bwrap === null)("an agent under the policy writes in its folder and nowhere else", async () => {
  const agent = await stage.agent({ filePolicy: "workspace" });
  const outside = join(foreign, "outside");

  const answers = [await agent.ask(write("inside")), await agent.ask(write(outside))];

  expect(answers[0]).toContain("written");
  expect(answers[1]).toContain("Read-only file system");
  expect([existsSync(join(agent.cwd, "inside")), existsSync(outside)]).toEqual([true, false]);
});

test.skipIf(bwrap === null)("a changed policy holds from the next run on, in a fresh process", async () => {
  const agent = await stage.agent();
  const outside = join(foreign, "changed");
  const patch = (filePolicy: string) =>
    expectJson(stage.server.fetch, 200, "PATCH", `/api/agents/${agent.id}`, { body: { filePolicy } });

  const open = await agent.ask(write(outside));
  const patched = await patch("workspace");
  const limited = await agent.execute(write(`${outside}-again`));
  await patch("open");
  const opened = await agent.ask(write(`${outside}-at-last`));

  expect(patched).toMatchObject({ filePolicy: "workspace" });
  expect(limited.body).toMatchObject({ state: "succeeded", transport: { warm: false } });
  expect([open, limited.body.content, opened].map((answer) => answer.includes("written"))).toEqual([
    true,
    false,
    true,
  ]);
});

test("where bwrap contains nothing the policy is refused", async () => {
  await using other = await openStage({ ...cliEnv, HEADWAY_SANDBOX: "off" });
  const body = { id: "x", cli: "claude", cwd: other.server.workspace, filePolicy: "workspace" };

  const created = await requestJson(other.server.fetch, "POST", "/api/agents", { body });
  const agent = await other.agent();
  const patched = await requestJson(other.server.fetch, "PATCH", `/api/agents/${agent.id}`, {
    body: { filePolicy: "workspace" },
  });

  for (const refused of [created, patched]) {
    expect(refused).toMatchObject({
      status: 422,
      body: { code: "invalid", errors: [{ path: "filePolicy", message: expect.stringContaining("bwrap") }] },
    });
  }
});

test.skipIf(bwrap === null)(
  "a server that has lost bwrap fails its runs instead of running them openly",
  async () => {
    await using other = await openStage(cliEnv);
    const agent = await other.agent({ filePolicy: "workspace" });

    await other.server.stop();
    await other.server.restart({ HEADWAY_SANDBOX: "off" });
    const { body: run } = await agent.execute("hello");

    expect(run).toMatchObject({
      state: "failed",
      error: { code: "spawn_error", message: expect.stringContaining("file policy needs bwrap") },
    });
  },
);
