import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { requestJson, requestRaw } from "../helpers/http.ts";
import { openStage, type Stage } from "../e2e/stage.ts";
import { expectAgentWorks } from "./agent-works.ts";

/** H cases of the fault list: what a client can do to us over its connection. */

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterEach(() => stage.tidy());
afterAll(() => stage[Symbol.asyncDispose]());

test("H9: 200 clients that never end their requests hold up nobody else", async () => {
  const agent = await stage.agent();
  const { port, token } = stage.server;
  const head = `POST /api/agents/${agent.id}/execute HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
  const whole = `${head}Authorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n`;
  const beginnings = [head.slice(0, 20), head, whole, `${whole}{"prompt":"`];

  const slow = await Promise.all(
    Array.from({ length: 200 }, (_, at) => openSlowly(port, beginnings[at % beginnings.length]!)),
  );
  const answers = await Promise.all(Array.from({ length: 50 }, () => stage.server.fetch("/api/agents")));
  const { body } = await agent.execute("hello");
  const runs = await requestJson<{ items: unknown[] }>(stage.server.fetch, "GET", "/api/runs");
  for (const socket of slow) socket.destroy();

  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(body).toMatchObject({ state: "succeeded", content: "You said: hello" });
  expect(runs.body.items).toHaveLength(1);
  await expectAgentWorks(agent);
});

/** Resolves when the beginning of a request is written. */
function openSlowly(port: number, beginning: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("error", reject);
    socket.write(beginning, () => resolve(socket.on("error", () => socket.destroy())));
  });
}

test("H13: a header that is folded, doubled or can be read in two ways starts nothing", async () => {
  const agent = await stage.agent();
  const { port, token } = stage.server;
  const body = '{"prompt":"smuggled"}';
  const head = [`POST /api/agents/${agent.id}/execute HTTP/1.1`, `Authorization: Bearer ${token}`];
  const rest = ["Content-Type: application/json", "Connection: close", "", body];
  const host = `Host: 127.0.0.1:${port}`;
  const length = `Content-Length: ${body.length}`;
  const odd: [what: string, lines: string[]][] = [
    ["a folded Host", ["Host:", ` 127.0.0.1:${port}`, length]],
    ["a folded foreign Host", [host, " evil.example", length]],
    ["two lengths", [host, length, "Content-Length: 5"]],
    ["a length that is no number", [host, "Content-Length: +21"]],
    ["a length and chunks", [host, length, "Transfer-Encoding: chunked"]],
    ["chunks under another name", [host, "Transfer-Encoding: chunked, identity"]],
    ["a blank in a header's name", [host, "Content-Length : 21"]],
    ["a NUL in a header", [host, length, "X-Odd: a\0b"]],
  ];

  const answers = await Promise.all(
    odd.map(async ([what, lines]) => {
      const answer = await requestRaw(port, [...head, ...lines, ...rest].join("\r\n"), 20_000);
      return [what, /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? "closed"] as const;
    }),
  );
  const runs = await requestJson<{ items: unknown[] }>(
    stage.server.fetch,
    "GET",
    "/api/runs?agentId=" + agent.id,
  );
  const alive = await stage.server.fetch("/healthz");

  expect(answers.filter(([, status]) => !["400", "403", "422", "closed"].includes(status))).toEqual([]);
  expect(runs.body.items).toEqual([]);
  expect(alive.status).toBe(200);
  await expectAgentWorks(agent);
});
