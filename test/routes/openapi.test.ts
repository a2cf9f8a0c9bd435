import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Run } from "../../src/domain/run.ts";
import { problems, runErrors } from "../../src/domain/error-codes.ts";
import { type JsonSchema, schemaTroubles } from "../helpers/json-schema.ts";
import { jsonInit, startApp, type TestApp } from "../helpers/test-app.ts";

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters: { name: string; in: string; required: boolean; schema: JsonSchema }[];
  requestBody?: { content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: JsonSchema }> }>;
}
interface Document {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: { Problem: JsonSchema } };
}

let app: TestApp;
let document: Document;
let operations: { method: string; path: string; operation: Operation }[];

beforeAll(async () => {
  app = await startApp();
  document = (await (await app.fetch("/api/openapi.json")).json()) as Document;
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
});
afterAll(() => app[Symbol.asyncDispose]());

describe("the document", () => {
  test("is OpenAPI 3.1 in shape", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(document.info.title).toBe("Headway");
    for (const { method, path, operation } of operations) {
      expect(["GET", "POST", "PUT", "PATCH", "DELETE"]).toContain(method);
      expect(path).toMatch(/^\/[a-z{}A-Z/.-]+$/);
      expect(operation.summary).not.toBe("");
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
      const declared = operation.parameters.filter((parameter) => parameter.in === "path");
      expect(declared.map(({ name }) => name)).toEqual(inPath);
      expect(declared.every(({ required }) => required)).toBe(true);
      for (const [status, { description }] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[2-5]\d\d$/);
        expect(description).not.toBe("");
      }
    }
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("has every route of the API, and no other", () => {
    const served = app.routes.paths
      .filter(({ path }) => path.startsWith("/api/") || ["/healthz", "/readyz", "/metrics"].includes(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);

    const documented = operations.map(({ method, path }) => `${method} ${path}`);

    expect(documented.toSorted()).toEqual(served.toSorted());
  });

  test("has every route of the contract that is built", () => {
    const documented = operations.map(({ method, path }) => `${method} ${path}`);

    expect(documented.toSorted()).toEqual(
      [
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /api/clis",
        "GET /api/containment",
        "POST /api/agents",
        "GET /api/agents",
        "GET /api/agents/{agentId}",
        "PATCH /api/agents/{agentId}",
        "DELETE /api/agents/{agentId}",
        "POST /api/agents/{agentId}/execute",
        "POST /api/agents/{agentId}/cancel",
        "GET /api/agents/{agentId}/conversation",
        "POST /api/agents/{agentId}/end-session",
        "GET /api/breakers",
        "POST /api/agents/{agentId}/breaker/reset",
        "POST /api/agents/{agentId}/quarantine/recheck",
        "GET /api/runs",
        "GET /api/runs/{runId}",
        "GET /api/runs/{runId}/events",
        "GET /api/runs/{runId}/log",
        "POST /api/runs/{runId}/cancel",
        "POST /api/runs/{runId}/retry",
        "GET /api/conversations",
        "GET /api/conversations/{conversationId}",
        "DELETE /api/conversations/{conversationId}",
        "GET /api/conversations/{conversationId}/export",
        "GET /api/openapi.json",
        "GET /api/docs",
      ].toSorted(),
    );
  });

  test("says which routes are open", () => {
    const open = operations.filter(({ operation }) => operation.security.length === 0);

    expect(open.map(({ path }) => path)).toEqual(["/healthz", "/readyz"]);
  });

  test("names the headers by which an execute is asked differently", () => {
    const { parameters } = document.paths["/api/agents/{agentId}/execute"]!["post"]!;

    expect(parameters.filter((parameter) => parameter.in === "header").map(({ name }) => name)).toEqual([
      "Idempotency-Key",
      "Prefer",
      "Accept",
    ]);
  });
});

describe("what the server answers", () => {
  /** Answers whose causes other tests bring about: a full queue, a full disk, a server that goes. */
  const elsewhere = new Set(["429", "503"]);
  const seen = new Map<string, Set<string>>();

  /** Sends it, and gives back what about the answer isn't in the document. */
  async function compare(
    method: string,
    path: string,
    where: string,
    init: RequestInit = {},
  ): Promise<string[]> {
    const response = await app.fetch(where, { ...init, method });
    const text = await response.text();
    const [type = ""] = (response.headers.get("content-type") ?? "").split(";");
    const documented = document.paths[path]?.[method.toLowerCase()]?.responses[response.status];
    const name = `${method} ${where} → ${response.status} ${type}`;
    const statuses = seen.get(`${method} ${path}`) ?? new Set();
    seen.set(`${method} ${path}`, statuses.add(String(response.status)));
    if (!documented) return [`${name} isn't documented`];
    if (text === "") return documented.content ? [`${name} has no body`] : [];
    const schema = documented.content?.[type]?.schema;
    if (!schema) return [`${name} is documented as ${Object.keys(documented.content ?? {}).join(" or ")}`];
    if (!type.endsWith("json")) return [];
    const resolved = "$ref" in schema ? document.components.schemas.Problem : schema;
    return schemaTroubles(resolved, JSON.parse(text)).map((trouble) => `${name}: ${trouble}`);
  }

  test("is in the document for every check that stands before the routes", async () => {
    const troubles: string[] = [];

    for (const { method, path, operation } of operations) {
      const where = path.replace(/\{\w+\}/g, "nobody");
      const ask = async (init: RequestInit) =>
        void troubles.push(...(await compare(method, path, where, init)));
      await ask({ headers: { host: "evil.example" } });
      await ask({ headers: { origin: "https://evil.example" } });
      if (operation.security.length > 0) await ask({ headers: { authorization: "Bearer wrong" } });
      if (path.includes("{"))
        await ask(operation.requestBody ? jsonInit(method, validBodies[path] ?? {}) : {});
      if (operation.parameters.some((parameter) => parameter.in === "query"))
        troubles.push(...(await compare(method, path, `${where}?limit=x&force=x&format=x`)));
      if (!operation.requestBody) continue;
      await ask({ body: "{", headers: { "content-type": "application/json" } });
      await ask({ body: "[]", headers: { "content-type": "application/json" } });
      await ask({ body: "x", headers: { "content-type": "text/plain" } });
      await ask({ body: new Uint8Array(8 * 1_048_576 + 1), headers: { "content-type": "application/json" } });
    }

    expect(troubles).toEqual([]);
  });

  const validBodies: Record<string, unknown> = { "/api/agents/{agentId}/execute": { prompt: "x" } };

  test("is in the document for a whole life of agents, runs and conversations", async () => {
    const troubles: string[] = [];
    const ask = async (
      method: string,
      path: string,
      names: Record<string, string> = {},
      init: RequestInit = {},
      query = "",
    ) => {
      const where = path.replace(/\{(\w+)\}/g, (_, name: string) => names[name] ?? "nobody");
      troubles.push(...(await compare(method, path, where + query, init)));
    };
    const agent = { agentId: "anna" };
    const execute = "/api/agents/{agentId}/execute";
    const send = (body: unknown, headers: Record<string, string> = {}) =>
      ask("POST", execute, agent, jsonInit("POST", body, headers));

    for (const path of [
      "/healthz",
      "/readyz",
      "/metrics",
      "/api/clis",
      "/api/containment",
      "/api/openapi.json",
      "/api/docs",
    ])
      await ask("GET", path);
    const input = { id: "anna", cli: "claude", cwd: app.workspace, metadata: { a: [1, null] } };
    for (let i = 0; i < 2; i++) await ask("POST", "/api/agents", {}, jsonInit("POST", input));
    await ask("GET", "/api/agents/{agentId}/conversation", agent);
    await send({ prompt: "tool=true" });
    await send({ prompt: "is-error=bad" });
    await ask("GET", "/api/breakers");
    for (const way of ["breaker/reset", "quarantine/recheck"])
      await ask("POST", `/api/agents/{agentId}/${way}`, agent);
    await send({ prompt: "forever", timeoutMs: 1_000 });
    await send({ prompt: "hello" }, { prefer: "respond-async" });
    await send({ prompt: "hello" }, { accept: "text/event-stream" });
    const run = await app.run("anna", "hello search me");
    const ended = { runId: run.id, conversationId: run.conversationId };
    const running = await app.submit("anna", "forever");
    await app.submit("anna", "waiting");
    await app.waitForState(running.id, "running");
    const live = { runId: running.id, conversationId: running.conversationId };
    const waited = send({ prompt: "cancelled while it waits" });
    await app.waitForState(running.id, "running");
    for (const path of ["/api/agents", "/api/runs", "/api/conversations"]) await ask("GET", path);
    await ask("GET", "/api/conversations", {}, {}, "?q=search");
    await ask("GET", "/api/agents/{agentId}", agent);
    await ask("PATCH", "/api/agents/{agentId}", agent, jsonInit("PATCH", { model: "opus" }));
    await ask("GET", "/api/agents/{agentId}/conversation", agent);
    await ask("POST", "/api/agents/{agentId}/end-session", agent);
    await ask("DELETE", "/api/agents/{agentId}", agent);
    await ask("DELETE", "/api/conversations/{conversationId}", live);
    await ask("POST", "/api/runs/{runId}/retry", live);
    for (const path of ["/api/runs/{runId}", "/api/runs/{runId}/events", "/api/runs/{runId}/log"])
      await ask("GET", path, ended);
    await ask("GET", "/api/runs/{runId}/events", ended, { headers: { accept: "text/event-stream" } });
    await ask("POST", "/api/runs/{runId}/retry", ended);
    await ask("POST", "/api/runs/{runId}/cancel", live);
    const all = await app.fetch("/api/runs?state=queued");
    for (const { id } of ((await all.json()) as { items: Run[] }).items)
      await ask("POST", "/api/runs/{runId}/cancel", { runId: id });
    await waited;
    await ask("POST", "/api/agents/{agentId}/cancel", agent, jsonInit("POST", { queued: true }));
    for (const format of ["md", "json", "jsonl"])
      await ask("GET", "/api/conversations/{conversationId}/export", ended, {}, `?format=${format}`);
    await ask("GET", "/api/conversations/{conversationId}", ended);
    await ask("POST", "/api/agents/{agentId}/end-session", agent);
    await ask("DELETE", "/api/conversations/{conversationId}", ended);
    await ask("DELETE", "/api/agents/{agentId}", agent);

    expect(troubles).toEqual([]);
  });

  test("includes whatever the document promises", () => {
    const never = operations.flatMap(({ method, path, operation }) =>
      Object.keys(operation.responses)
        .filter((status) => !elsewhere.has(status) && !seen.get(`${method} ${path}`)?.has(status))
        .map((status) => `${method} ${path} ${status}`),
    );

    expect(never).toEqual([]);
  });
});

describe("the page for people", () => {
  test("explains every code that a refusal or a run may carry, where their links lead", async () => {
    const html = await (await app.fetch("/api/docs")).text();

    const missing = [
      ...Object.keys(problems).map((code) => `problem-${code}`),
      ...Object.keys(runErrors).map((code) => `error-${code}`),
    ].filter((id) => !html.includes(`id="${id}"`));

    expect(missing).toEqual([]);
  });

  test("names every route of the document", async () => {
    const html = await (await app.fetch("/api/docs")).text();

    const missing = operations.filter(({ method, path }) => !html.includes(`${method} ${path}`));

    expect(missing).toEqual([]);
  });

  test("needs nothing from elsewhere", async () => {
    const html = await (await app.fetch("/api/docs")).text();

    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });
});
