import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "../../src/domain/run.ts";
import { collectEvents, openEvents } from "../helpers/http.ts";
import { openStage, type Stage } from "./stage.ts";

/** Its forms in JSON, in a URL, in base64 and in hex all differ from itself and from one another. */
const planted = 'Zq7/x"K\\9+vB2=mN4&tR6 yW8-pL3';
/** As hard to find, but nothing says that it is a secret. */
const control = 'Hj5/k"D\\1+gF8=cX2&sQ9 uV4-bM7';

const inJson = (text: string) => JSON.stringify(text).slice(1, -1);
const base64 = (text: string) => Buffer.from(text).toString("base64");

const escaped = (text: string, pattern: RegExp) =>
  text.replace(pattern, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
const quoted = (text: string) => encodeURIComponent(text).replaceAll("%2F", "/");
const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
/** As `base64` writes a file in which the value stands in the midst, with a break amid the value. */
const inLines = (text: string, column: number, lineBreak: string) =>
  base64(text).replace(new RegExp(`.{${column}}(?=.)`, "g"), `$&${lineBreak}`);

/** Every way in which a tool may print a value, made without a word of what is tested. */
const encodings: Record<string, (text: string) => string> = {
  plain: (text) => text,
  json: inJson,
  jsonInJson: (text) => inJson(inJson(text)),
  url: encodeURIComponent,
  urlInLowerCase: (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  jsonOfPhp: (text) => inJson(text).replaceAll("/", "\\/"),
  jsonOfGo: (text) => escaped(inJson(text), /[<>&]/g),
  jsonOfGoInJson: (text) => inJson(escaped(inJson(text), /[<>&]/g)),
  jsonMixed: (text) => inJson(text.slice(0, 9)) + escaped(text.slice(9), /[a-z&=+]/gi),
  urlOfPython: quoted,
  urlOfPythonInLowerCase: (text) => quoted(text).replace(/%../g, (code) => code.toLowerCase()),
  urlInQuery: (text) => quoted(text).replaceAll("%20", "+"),
  urlStrict: (text) => encodeURIComponent(text).replace(/[!'()*~]/g, percent),
  urlMixed: (text) => text.replace(/[+ "]|[a-z]/g, percent),
  base64InLines: (text) => inLines(text, 19, "\n"),
  base64InLinesAfter1: (text) => inLines(`u${text}.`, 15, "\r\n"),
  base64InLinesAfter2: (text) => inLines(`uv${text}..`, 15, "\\n"),
  base64,
  base64After1: (text) => base64(`u${text}.`),
  base64After2: (text) => base64(`uv${text}..`),
  base64url: (text) => Buffer.from(text).toString("base64url"),
  hex: (text) => Buffer.from(text).toString("hex"),
  hexInUpperCase: (text) => Buffer.from(text).toString("hex").toUpperCase(),
};

/** So much of a value is no word any more. */
const fragmentChars = 8;

/**
 * Fragments of a value in every encoding. In base64 the first and the last characters hold bits of what stands
 * beside the value, so none of the fragments begins or ends with them.
 */
function fragmentsOf(value: string): Set<string> {
  const fragments = new Set<string>();
  for (const [name, encode] of Object.entries(encodings)) {
    const text = name.startsWith("base64") ? encode(value).slice(4, -4) : encode(value);
    for (let at = 0; at + fragmentChars <= text.length; at += 1)
      fragments.add(text.slice(at, at + fragmentChars));
  }
  return fragments;
}

function holds(text: string, fragments: ReadonlySet<string>): boolean {
  for (let at = 0; at + fragmentChars <= text.length; at += 1) {
    if (fragments.has(text.slice(at, at + fragmentChars))) return true;
  }
  return false;
}

function piecesOf(text: string, chars: number): string[] {
  return Array.from({ length: Math.ceil(text.length / chars) }, (_, at) =>
    text.slice(at * chars, (at + 1) * chars),
  );
}

/** What a CLI does with a value that it shouldn't have told: says, thinks, calls and complains it, in every form. */
function scriptOf(value: string): object[] {
  const all = Object.values(encodings).map((encode) => encode(value));
  const spoken = `It is ${all.join(" , ")} , and that is all.`;
  const partial = inJson(JSON.stringify({ command: value }));
  const delta = (partial_json: string) => ({
    type: "stream_event",
    event: { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json } },
    parent_tool_use_id: null,
  });
  return [
    { think: `Let me see: ${all.join(" , ")} .` },
    { say: piecesOf(spoken, 5) },
    { say: piecesOf(spoken, 11) },
    ...piecesOf(partial, 9).map((piece) => ({ line: delta(piece) })),
    {
      tool: "Bash",
      input: { command: value, [value]: all, nested: [{ deep: all.join("\n") }] },
      output: all.join("\n"),
    },
    {
      tool: `Tool ${value}`,
      input: { json: JSON.stringify({ all }) },
      output: JSON.stringify({ all }),
      isError: true,
    },
    { line: { type: "system", subtype: `unheard ${value}`, note: all } },
    { line: { type: `unheard ${value}` } },
    { stderr: piecesOf(`warning: ${all.join(" , ")} .\n`, 7) },
    { stderr: all.map((text) => `retry ${text}\n`) },
    { say: [`At last: ${value}`] },
  ];
}

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ PLANTED_SECRET: planted, PLANTED_WORDS: control, HEADWAY_LOG_LEVEL: "debug" });
});
afterAll(async () => {
  await stage.tidy();
  await stage[Symbol.asyncDispose]();
});

/** Runs the scripts one after the other in one conversation; the prompts say nothing. */
async function play(scripts: Record<string, object[]>): Promise<{ agentId: string; runs: Run[] }> {
  const agent = await stage.agent();
  writeFileSync(join(agent.cwd, ".plays.json"), JSON.stringify(scripts));
  const runs: Run[] = [];
  for (const prompt of Object.keys(scripts)) runs.push((await agent.execute(prompt)).body);
  return { agentId: agent.id, runs };
}

function failing(value: string): Record<string, object[]> {
  return {
    answers: scriptOf(value),
    fails: [
      { say: ["half of it"] },
      { result: { is_error: true, terminal_reason: "api_error", result: `Bad: ${value}` } },
    ],
    exits: [{ stderr: piecesOf(`fatal: ${value} was refused\n`, 6) }, { exit: 3 }],
  };
}

/** Every place where it could have got to, by name. */
async function everyPlace(agentId: string, runs: readonly Run[]): Promise<Record<string, string>> {
  const { fetch, dataDir } = stage.server;
  const conversations = [...new Set(runs.map(({ conversationId }) => conversationId))];
  const paths = [
    ...runs.flatMap(({ id }) => [
      `/api/runs/${id}`,
      `/api/runs/${id}/events?limit=500`,
      `/api/runs/${id}/log`,
      `/runs/${id}`,
    ]),
    ...conversations.flatMap((id) => [
      `/api/conversations/${id}`,
      `/conversations/${id}`,
      ...["md", "json", "jsonl"].map((format) => `/api/conversations/${id}/export?format=${format}`),
    ]),
    "/api/agents",
    "/api/runs",
    "/api/conversations",
    "/api/clis",
    "/api/openapi.json",
    "/metrics",
    "/readyz",
    `/api/agents/${agentId}`,
    `/api/agents/${agentId}/conversation`,
    `/agents/${agentId}`,
    "/",
    "/conversations",
  ];
  const places: Record<string, string> = {
    "the server's log": stage.server
      .logLines()
      .map((line) => JSON.stringify(line))
      .join("\n"),
    "the server's stderr": stage.server.stderr(),
    "what was answered": JSON.stringify(runs),
  };
  for (const path of paths) places[path] = await (await fetch(path)).text();
  for (const { id } of runs) {
    places[`SSE of ${id}`] = JSON.stringify(
      await collectEvents(await openEvents(fetch, `/api/runs/${id}/events`)),
    );
    places[`tools of ${id}`] = await toolPages(id);
  }
  return { ...places, ...filesOf(dataDir), ...rowsOf(dataDir) };
}

async function toolPages(runId: string): Promise<string> {
  const events = await stage.events(runId);
  const calls = events.flatMap((event) => (event.type === "tool.started" ? [event.toolId] : []));
  const pages = calls.map(async (toolId) =>
    (await stage.server.fetch(`/runs/${runId}/tools/${toolId}`)).text(),
  );
  return (await Promise.all(pages)).join("\n");
}

/** As raw bytes: the database, SQLite's log, the raw logs, backups. */
function filesOf(dataDir: string): Record<string, string> {
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map((path) => [path.slice(dataDir.length), readFileSync(path, "latin1")]));
}

/** As SQLite reads them, since a long text isn't in one piece in the file. */
function rowsOf(dataDir: string): Record<string, string> {
  using database = new Database(join(dataDir, "headway.db"), { readonly: true });
  const tables = database
    .query<{ name: string }, []>(`select name from sqlite_schema where type = 'table'`)
    .all();
  return Object.fromEntries(
    tables.map(({ name }) => {
      const rows = database.query(`select * from "${name}"`).values();
      const texts = rows
        .flat()
        .map((value) =>
          value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value),
        );
      return [`table ${name}`, texts.join("\n")];
    }),
  );
}

function placesWith(places: Record<string, string>, value: string): string[] {
  const fragments = fragmentsOf(value);
  return Object.entries(places).flatMap(([place, text]) => (holds(text, fragments) ? [place] : []));
}

test("a secret that a CLI prints in pieces and in every encoding is nowhere, not even a piece of it", async () => {
  const { agentId, runs } = await play(failing(planted));

  const places = await everyPlace(agentId, runs);

  expect(runs.map(({ state, error }) => [state, error?.code ?? null])).toEqual([
    ["succeeded", null],
    ["failed", "cli_error"],
    ["failed", "exit_nonzero"],
  ]);
  expect(places["what was answered"]).toContain("[redacted:PLANTED_SECRET]");
  expect(placesWith(places, planted)).toEqual([]);
}, 60_000);

test("what isn't known as a secret is found by the same search, in every kind of place", async () => {
  const { agentId, runs } = await play(failing(control));

  const places = await everyPlace(agentId, runs);
  const found = placesWith(places, control);

  const [first, , last] = runs.map(({ id }) => id);
  const { conversationId } = runs[0]!;
  expect(found).toContainEqual("what was answered");
  expect(found).toContain(`/api/runs/${first}`);
  expect(found).toContain(`/api/runs/${first}/events?limit=500`);
  expect(found).toContain(`/api/runs/${first}/log`);
  expect(found).toContain(`/api/runs/${last}/log`);
  expect(found).toContain(`/api/runs/${last}`);
  expect(found).toContain(`/runs/${first}`);
  expect(found).toContain(`SSE of ${first}`);
  expect(found).toContain(`tools of ${first}`);
  expect(found).toContain(`/agents/${agentId}`);
  expect(found).toContain(`/api/conversations/${conversationId}/export?format=md`);
  expect(found).toContain(`/logs/${first}.log`);
  expect(found).toContain("table run_events");
  expect(found).toContain("table turns");
  expect(found).toContain("the server's log");
  expect(found.some((place) => place.startsWith("/headway.db"))).toBe(true);
}, 60_000);
