import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { collectEvents, openEvents, requestJson } from "../helpers/http.ts";
import { openStage, type Stage } from "./stage.ts";

/** Quotes and a backslash, so that its forms in JSON, in a URL and in base64 all differ. */
const apiKey = 'sk-ant-api03-"SeCrEt"\\vAlUe/with+signs-0123456789';
const plainKey = "Hunter2Hunter2Hunter2";
const token = "a-bearer-token-of-32-characters!";

const formsOf = (value: string) => [
  value,
  JSON.stringify(value).slice(1, -1),
  encodeURIComponent(value),
  Buffer.from(value).toString("base64"),
  Buffer.from(value).toString("base64url"),
];
const forms = [apiKey, plainKey, token].flatMap(formsOf);

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({
    ANTHROPIC_API_KEY: apiKey,
    DEPLOY_PASSWORD: plainKey,
    HEADWAY_TOKEN: token,
    HEADWAY_PASS_ENV: "DEPLOY_PASSWORD",
    HEADWAY_LOG_LEVEL: "debug",
  });
});
afterEach(async () => {
  await stage.tidy();
  expect(leaksIn(everythingKept())).toEqual([]);
});
afterAll(() => stage[Symbol.asyncDispose]());

/** All files of the data directory but the token's own, and all that the server printed. */
function everythingKept(): string {
  const { dataDir } = stage.server;
  const files = readdirSync(dataDir, { recursive: true, encoding: "utf8" })
    .filter((name) => name !== "token" && statSync(join(dataDir, name)).isFile())
    .map((name) => readFileSync(join(dataDir, name), "latin1"));
  const printed = stage.server.logLines().map((line) => JSON.stringify(line));
  return [...files, ...printed, stage.server.stderr()].join("\n");
}

function leaksIn(text: string): string[] {
  return forms.filter((form) => text.includes(form));
}

async function shownOf(runId: string, agentId: string): Promise<string> {
  const { fetch } = stage.server;
  const ofRun = ["", "/events?limit=500", "/log"].map((rest) => `/api/runs/${runId}${rest}`);
  const ofAgent = [
    `/api/agents/${agentId}`,
    `/api/agents/${agentId}/conversation`,
    `/api/runs?agentId=${agentId}`,
  ];
  const pages = [`/agents/${agentId}`, `/runs/${runId}`];
  const paths = [...ofRun, ...ofAgent, ...pages, "/metrics", "/api/clis", "/readyz"];
  const texts = await Promise.all(paths.map(async (path) => (await fetch(path)).text()));
  const events = await collectEvents(await openEvents(fetch, `/api/runs/${runId}/events`));
  return [...texts, JSON.stringify(events)].join("\n");
}

/** Long enough to be streamed in equal pieces, whose edges lie within the secret again and again. */
const inPieces = `${"a ".repeat(2_100)}${plainKey.repeat(30)}`;

const spoken: [how: string, prompt: string][] = [
  ["in a tool's output and the answer", 'tool=printf %s "$ANTHROPIC_API_KEY $DEPLOY_PASSWORD"'],
  [
    "as base64",
    'tool=printf %s "$ANTHROPIC_API_KEY" | base64 -w0; printf %s "$DEPLOY_PASSWORD" | base64 -w0',
  ],
  ["inside JSON", "echo-env"],
  ["split over deltas", inPieces],
];

test.each(spoken)("a secret that the CLI prints %s is shown and kept masked", async (_how, prompt) => {
  const agent = await stage.agent();

  const { body } = await agent.execute(prompt);
  const shown = await shownOf(body.id, agent.id);

  expect(shown).toContain("[redacted:DEPLOY_PASSWORD]");
  expect(leaksIn(JSON.stringify(body) + shown)).toEqual([]);
});

test("a secret that comes on stderr in two pieces is masked in the log and in the run's error", async () => {
  const agent = await stage.agent();

  const { body } = await agent.execute(`complain=${plainKey}`);
  const log = await (await stage.server.fetch(`/api/runs/${body.id}/log`)).text();
  const shown = await shownOf(body.id, agent.id);

  expect(body.error).toMatchObject({ code: "exit_nonzero", message: "[redacted:DEPLOY_PASSWORD]" });
  expect(log).toEndWith("[stderr] [redacted:DEPLOY_PASSWORD]\n");
  expect(log).not.toContain(plainKey.slice(-10));
  expect(leaksIn(JSON.stringify(body) + shown)).toEqual([]);
});

test("a secret that a CLI tells as its error is masked in the run's error", async () => {
  const agent = await stage.agent();

  const { body } = await agent.execute(`is-error=The key ${apiKey} was refused, and so was ${plainKey}`);
  const shown = await shownOf(body.id, agent.id);

  expect(body.error?.message).toContain("[redacted:ANTHROPIC_API_KEY]");
  expect(leaksIn(JSON.stringify(body) + shown)).toEqual([]);
});

test("a prompt that holds a secret is delivered as sent, and stored masked", async () => {
  const agent = await stage.agent();
  const prompt = `use ${apiKey} and ${plainKey} echo-stdin-sha`;

  const { body } = await agent.execute(prompt);
  const shown = await shownOf(body.id, agent.id);

  expect(body.content).toBe(sha256(prompt));
  expect(body.prompt).toBe("use [redacted:ANTHROPIC_API_KEY] and [redacted:DEPLOY_PASSWORD] echo-stdin-sha");
  expect(leaksIn(JSON.stringify(body) + shown)).toEqual([]);
});

test("so it is when the prompt waited over a restart", async () => {
  const agent = await stage.agent();
  const prompt = `later ${apiKey} echo-stdin-sha`;
  const holder = await agent.begin("forever");
  await stage.eventSeen(holder.id, ({ type }) => type === "session");
  const waiting = await agent.begin(prompt);

  await stage.server.kill();
  const kept = everythingKept();
  await stage.server.restart();
  const settled = await stage.settled(waiting.id);

  expect(leaksIn(kept)).toEqual([]);
  expect(settled).toMatchObject({ state: "succeeded", content: sha256(prompt) });
  expect(settled.prompt).toBe("later [redacted:ANTHROPIC_API_KEY] echo-stdin-sha");
});

test("answers to bad requests don't repeat a secret", async () => {
  const { fetch } = stage.server;
  const secret = encodeURIComponent(plainKey);

  const answers = await Promise.all([
    fetch(`/login?nonce=${secret}`, { headers: { authorization: "" } }),
    fetch(`/nowhere/${secret}`),
    fetch(`/api/agents/${secret}`),
    fetch("/api/runs", { headers: { authorization: `Bearer ${token}x` } }),
    fetch("/api/agents", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"${plainKey}`,
    }),
    fetch("/api/agents", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id: plainKey, cli: plainKey, cwd: `/${plainKey}` }),
    }),
  ]);
  const texts = await Promise.all(answers.map((answer) => answer.text()));

  expect(answers.map(({ status }) => status)).toEqual([401, 404, 404, 401, 400, 422]);
  expect(texts.filter((text) => leaksIn(text).length > 0)).toEqual([]);
});

test("the token is in its file alone", async () => {
  const { body } = await requestJson<unknown>(stage.server.fetch, "GET", "/api/openapi.json");

  expect(leaksIn(JSON.stringify(body))).toEqual([]);
  expect(statSync(stage.server.dataDir).mode & 0o777).toBe(0o700);
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
