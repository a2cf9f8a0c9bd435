import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { problemLine, readProblem } from "../helpers/problems.ts";
import { jsonInit, startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
  await app.makeAgent({ id: "anna" });
});
afterAll(() => app[Symbol.asyncDispose]());

const executePath = "/api/agents/anna/execute";
const post = (path: string, body: BodyInit | null, headers: Record<string, string> = {}) =>
  app.fetch(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
const execute = (body: unknown, headers: Record<string, string> = {}) =>
  app.fetch(executePath, jsonInit("POST", body, headers));
const filesOf = (folder: string) => readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
const runCount = async () =>
  ((await (await app.fetch("/api/runs?limit=500")).json()) as { items: unknown[] }).items.length;

describe("a body that isn't JSON", () => {
  const texts = [
    "",
    "{",
    "{'prompt':1}",
    "undefined",
    '{"prompt":"x"} trailing',
    "NaN",
    "[1,",
    "\u0000",
    "prompt=x",
  ];
  for (const text of texts) {
    test(`is malformed, as ${JSON.stringify(text)} is`, async () => {
      const lines = await Promise.all(
        [executePath, "/api/agents"].map(async (path) => problemLine(await post(path, text))),
      );

      expect(lines).toEqual(["400 malformed", "400 malformed"]);
    });
  }

  test("is malformed for a route where a body is optional, too", async () => {
    const line = await problemLine(await post("/api/agents/anna/cancel", "{"));

    expect(line).toBe("400 malformed");
  });
});

describe("a body of another type", () => {
  const types = [
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "application/vnd.api+json",
    "text/json",
    "text/plain, application/json",
    "application/json; charset=iso-8859-1",
    "application/json;charset=utf-16",
    'application/json; charset="latin1"',
    "application/json; charset=utf-8; charset=utf-16",
    "",
  ];
  for (const type of types) {
    test(`is refused with 415, as ${JSON.stringify(type)} is`, async () => {
      const line = await problemLine(await post(executePath, '{"prompt":"hi"}', { "content-type": type }));

      expect(line).toBe("415 unsupported_media_type");
    });
  }

  test("is refused with 415 when it is a form of several parts", async () => {
    const body = new FormData();
    body.set("prompt", "hi");

    const line = await problemLine(await app.fetch(executePath, { method: "POST", body }));

    expect(line).toBe("415 unsupported_media_type");
  });

  test("is refused with 415 where a body is optional, too", async () => {
    const line = await problemLine(
      await post("/api/agents/anna/cancel", '{"queued":true}', { "content-type": "text/plain" }),
    );

    expect(line).toBe("415 unsupported_media_type");
  });

  for (const type of [
    "application/json; charset=utf-8",
    'application/json;Charset="UTF-8"',
    "application/json; charset=utf8",
    "application/json; profile=charset",
    "Application/JSON",
    "application/json;",
  ]) {
    test(`isn't another one when it reads ${type}`, async () => {
      const line = await problemLine(await post(executePath, '{"prompt":""}', { "content-type": type }));

      expect(line).toBe("422 invalid prompt");
    });
  }
});

describe("values that aren't allowed", () => {
  const bodies: [what: string, body: unknown, line: string][] = [
    ["no object", null, "422 invalid "],
    ["a list", [], "422 invalid "],
    ["a text", "hi", "422 invalid "],
    ["no prompt", {}, "422 invalid prompt"],
    ["a prompt that is no text", { prompt: 5 }, "422 invalid prompt"],
    ["a null prompt", { prompt: null }, "422 invalid prompt"],
    ["an empty prompt", { prompt: "" }, "422 invalid prompt"],
    ["a prompt with NUL", { prompt: "a\0b" }, "422 invalid prompt"],
    ["a prompt of NULs", { prompt: "\0\0" }, "422 invalid prompt"],
    ["a prompt of 1 MiB and a byte", { prompt: "x".repeat(1_048_577) }, "422 prompt_too_long prompt"],
    ["a prompt of 1 MiB in other characters", { prompt: "ä".repeat(524_289) }, "422 prompt_too_long prompt"],
    ["a timeout below zero", { prompt: "x", timeoutMs: -1 }, "422 invalid timeoutMs"],
    ["no time at all", { prompt: "x", timeoutMs: 0 }, "422 invalid timeoutMs"],
    ["less than a second", { prompt: "x", timeoutMs: 999 }, "422 invalid timeoutMs"],
    ["more than a day", { prompt: "x", timeoutMs: 86_400_001 }, "422 invalid timeoutMs"],
    ["a timeout of 1e12", { prompt: "x", timeoutMs: 1e12 }, "422 invalid timeoutMs"],
    ["a fraction of a millisecond", { prompt: "x", timeoutMs: 1000.5 }, "422 invalid timeoutMs"],
    ["a timeout as text", { prompt: "x", timeoutMs: "5" }, "422 invalid timeoutMs"],
    [
      "a timeout that is NaN, which JSON calls null",
      { prompt: "x", timeoutMs: Number.NaN },
      "422 invalid timeoutMs",
    ],
    ["metadata that is no object", { prompt: "x", metadata: [1] }, "422 invalid metadata"],
    [
      "metadata of more than 16 KiB",
      { prompt: "x", metadata: { a: "x".repeat(16_384) } },
      "422 invalid metadata",
    ],
    ["a conversation without a name", { prompt: "x", conversationId: "" }, "422 invalid conversationId"],
    ["an unknown member", { prompt: "x", model: "other" }, "422 invalid model"],
    [
      "a session of the client's choosing",
      { prompt: "x", cliSessionId: crypto.randomUUID() },
      "422 invalid cliSessionId",
    ],
    ["two unknown members", { prompt: "x", a: 1, b: 2 }, "422 invalid a b"],
  ];
  for (const [what, body, line] of bodies) {
    test(`are refused: ${what}`, async () => {
      expect(await problemLine(await execute(body))).toBe(line);
    });
  }

  test("are told by path and message, all at once", async () => {
    const { errors, detail } = await readProblem(await execute({ prompt: "", timeoutMs: -1 }));

    expect(errors?.map(({ path }) => path)).toEqual(["prompt", "timeoutMs"]);
    expect(detail).toContain("prompt");
  });

  test("of the prototype's change no prototype", async () => {
    const response = await post(
      executePath,
      '{"prompt":"x","__proto__":{"polluted":true},"constructor":{"a":1}}',
    );

    expect(response.status).toBe(422);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("nested deeper than anybody reads are refused and are no bug", async () => {
    const deep = "[".repeat(200_000) + "]".repeat(200_000);

    const inMetadata = await post(executePath, `{"prompt":"x","metadata":{"a":${deep}}}`);
    const instead = await post(executePath, deep);

    expect([400, 422]).toContain(inMetadata.status);
    expect([400, 422]).toContain(instead.status);
  });

  test("that only look like values are taken as they are", async () => {
    const response = await post(
      "/api/agents",
      `{"id":"odd","cli":"demo","cwd":${JSON.stringify(app.workspace)},
      "metadata":{"__proto__":{"polluted":true},"toString":1,"big":12345678901234567890,"huge":1e400}}`,
    );

    expect([201, 422]).toContain(response.status);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("leave no trace", async () => {
    expect(await runCount()).toBe(0);
  });
});

describe("an Idempotency-Key", () => {
  for (const [what, key] of [
    ["of 129 characters", "k".repeat(129)],
    ["of none", ""],
  ] as [string, string][]) {
    test(`${what} is refused`, async () => {
      const line = await problemLine(await execute({ prompt: "x" }, { "idempotency-key": key }));

      expect(line).toBe("422 invalid Idempotency-Key");
    });
  }
});

describe("paths and methods", () => {
  test("that nobody serves are 404", async () => {
    const paths = [
      "/api/nothing",
      "/api/agents/anna/nothing",
      "/nothing",
      "/api/agents/",
      "/assets/nothing.js",
    ];

    const lines = await Promise.all(paths.map(async (path) => problemLine(await app.fetch(path))));

    expect(lines).toEqual(paths.map(() => "404 not_found"));
  });

  const wrongMethods: [method: string, path: string, allow: string][] = [
    ["DELETE", "/api/agents", "GET, HEAD, POST"],
    ["PUT", "/api/agents/anna", "DELETE, GET, HEAD, PATCH"],
    ["GET", "/api/agents/anna/execute", "POST"],
    ["HEAD", "/api/agents/anna/execute", "POST"],
    ["POST", "/api/runs/run_1/events", "GET, HEAD"],
    ["OPTIONS", "/api/runs", "GET, HEAD"],
    ["POST", "/healthz", "GET, HEAD"],
    ["PUT", "/login", "GET, HEAD, POST"],
    ["GET", "/logout", "POST"],
    ["POST", "/metrics", "GET, HEAD"],
    ["DELETE", "/assets/app.css", "GET, HEAD"],
    ["PATCH", "/", "GET, HEAD"],
  ];
  for (const [method, path, allow] of wrongMethods) {
    test(`that don't go together are 405 with Allow: ${method} ${path}`, async () => {
      const response = await app.fetch(path, { method });

      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe(allow);
      if (method !== "HEAD") expect((await readProblem(response)).code).toBe("method_not_allowed");
    });
  }

  test("HEAD answers like GET without a body", async () => {
    for (const path of [
      "/healthz",
      "/api/agents",
      "/api/agents/anna",
      "/api/openapi.json",
      "/metrics",
      "/",
    ]) {
      const [got, headed] = [await app.fetch(path), await app.fetch(path, { method: "HEAD" })];

      expect(headed.status).toBe(got.status);
      expect(headed.headers.get("content-type")).toBe(got.headers.get("content-type"));
      expect(await headed.text()).toBe("");
    }
  });
});

describe("hostile names", () => {
  const names = [
    "x".repeat(10_240),
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "anna%00",
    "%ff%fe",
    "%",
    "日本語",
    "%F0%9F%98%80",
    "ANNA",
    "anna%20",
    "-anna",
    "'; drop table agents; --",
    "a/b",
    "*",
    ":agentId",
    "__proto__",
    "constructor",
  ];
  const forms: [method: string, path: (name: string) => string][] = [
    ["GET", (name) => `/api/agents/${name}`],
    ["PATCH", (name) => `/api/agents/${name}`],
    ["DELETE", (name) => `/api/agents/${name}`],
    ["POST", (name) => `/api/agents/${name}/execute`],
    ["POST", (name) => `/api/agents/${name}/cancel`],
    ["POST", (name) => `/api/agents/${name}/end-session`],
    ["GET", (name) => `/api/agents/${name}/conversation`],
    ["GET", (name) => `/api/runs/${name}`],
    ["GET", (name) => `/api/runs/${name}/log`],
    ["GET", (name) => `/api/runs/${name}/events`],
    ["POST", (name) => `/api/runs/${name}/cancel`],
    ["POST", (name) => `/api/runs/${name}/retry`],
    ["GET", (name) => `/api/conversations/${name}`],
    ["GET", (name) => `/api/conversations/${name}/export`],
    ["DELETE", (name) => `/api/conversations/${name}`],
    ["GET", (name) => `/assets/${name}`],
    ["GET", (name) => `/agents/${name}`],
    ["GET", (name) => `/runs/${name}`],
  ];
  for (const name of names) {
    test(`${JSON.stringify(name.slice(0, 30))} finds nothing anywhere`, async () => {
      const before = filesOf(app.dataDir);
      const wrong: string[] = [];

      for (const [method, pathOf] of forms) {
        const body = method === "PATCH" ? {} : { prompt: "x" };
        const hasBody = method === "PATCH" || pathOf("").endsWith("execute");
        const response = await app.fetch(pathOf(name), hasBody ? jsonInit(method, body) : { method });
        if (![404, 405, 422].includes(response.status))
          wrong.push(`${method} ${pathOf("…")}: ${response.status}`);
      }

      expect(wrong).toEqual([]);
      expect(filesOf(app.dataDir)).toEqual(before);
    });
  }
});

describe("queries", () => {
  const lists = ["/api/agents", "/api/runs", "/api/conversations"];

  for (const limit of ["0", "-5", "1", "500", "501", "1e9", "99999999999999999999", "1.7"]) {
    test(`a limit of ${limit} is clamped`, async () => {
      const statuses = await Promise.all(
        lists.map(async (path) => (await app.fetch(`${path}?limit=${limit}`)).status),
      );

      expect(statuses).toEqual([200, 200, 200]);
    });
  }

  for (const limit of ["x", "NaN", "1;drop", "1&limit=2", "%00"]) {
    test(`a limit of ${limit} is refused`, async () => {
      const lines = await Promise.all(
        lists.map(async (path) => problemLine(await app.fetch(`${path}?limit=${limit}`))),
      );

      expect(lines).toEqual(lists.map(() => "422 invalid limit"));
    });
  }

  test("with values that nothing knows are refused", async () => {
    const paths = [
      "/api/runs?state=done",
      "/api/agents/anna/conversation?before=x",
      "/api/agents/anna/conversation?before=-1",
      `/api/conversations?q=${"x".repeat(501)}`,
      `/api/runs?cursor=${"x".repeat(201)}`,
    ];

    const lines = await Promise.all(paths.map(async (path) => problemLine(await app.fetch(path))));

    expect(lines).toEqual([
      "422 invalid state",
      "422 invalid before",
      "422 invalid before",
      "422 invalid q",
      "422 invalid cursor",
    ]);
  });

  test("force is true or false", async () => {
    const line = await problemLine(await app.fetch("/api/agents/anna?force=yes", { method: "DELETE" }));

    expect(line).toBe("422 invalid force");
  });
});
