import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ownNames } from "../../src/routes/access.ts";
import { requestRaw } from "../helpers/http.ts";
import { routeCases, surfaceTroubles } from "../helpers/route-cases.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { appPort, startApp, type TestApp } from "../helpers/test-app.ts";

const publicUrl = "https://headway.example,http://other.example:8080";

describe("in process", () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ env: { HEADWAY_PUBLIC_URL: publicUrl } });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  test("every route refuses a foreign Host with 403, whatever the token", async () => {
    const headers = { host: `evil.example:${appPort}`, authorization: `Bearer ${app.token}` };
    const wrong: string[] = [];

    for (const { method, path } of [...routeCases(app), { method: "POST", path: "/nothing" }]) {
      const response = await app.send(path, { method, headers });
      const body = (await response.json()) as { code: string };
      const isRefused = response.status === 403 && body.code === "forbidden_host";
      const troubles = surfaceTroubles(response);
      if (!isRefused || troubles.length > 0)
        wrong.push(`${method} ${path} ${response.status} ${troubles.join()}`);
    }

    expect(wrong).toEqual([]);
  });

  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    test(`${method} with a foreign Host is refused before anything else is looked at`, async () => {
      const headers = { host: "evil.example", origin: "http://evil.example" };

      const responses = await Promise.all(
        ["/healthz", "/login", "/assets/app.css", "/api/nothing"].map((path) =>
          app.send(path, { method, headers }),
        ),
      );

      expect(responses.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    });
  }

  const hosts: Record<string, number> = {
    [`127.0.0.1:${appPort}`]: 200,
    [`localhost:${appPort}`]: 200,
    [`[::1]:${appPort}`]: 200,
    "headway.example": 200,
    "headway.example:443": 200,
    "other.example:8080": 200,
    "headway.example:80": 403,
    "headway.example:8443": 403,
    "other.example": 403,
    "sub.headway.example": 403,
    "127.0.0.1": 403,
    localhost: 403,
    "127.0.0.1:4271": 403,
    [`127.0.0.2:${appPort}`]: 403,
    [`0.0.0.0:${appPort}`]: 403,
    [`127.0.0.1.evil:${appPort}`]: 403,
    [`localhost.evil.example:${appPort}`]: 403,
    [`localhost.:${appPort}`]: 403,
    [`LOCALHOST:${appPort}`]: 403,
    [`127.1:${appPort}`]: 403,
    [`2130706433:${appPort}`]: 403,
    [`::1:${appPort}`]: 403,
    [`user@127.0.0.1:${appPort}`]: 403,
    [`127.0.0.1:${appPort}, evil.example`]: 403,
    [`evil.example, 127.0.0.1:${appPort}`]: 403,
    [`127.0.0.1:0${appPort}`]: 403,
    "": 403,
  };
  for (const [host, status] of Object.entries(hosts)) {
    test(`the Host ${JSON.stringify(host)} is answered with ${status}`, async () => {
      const response = await app.send("/healthz", { headers: { host } });

      expect(response.status).toBe(status);
    });
  }

  test("other headers that name a host don't count", async () => {
    const headers = {
      host: "evil.example",
      "x-forwarded-host": `127.0.0.1:${appPort}`,
      forwarded: "host=localhost",
    };

    const response = await app.send("/healthz", { headers });

    expect(response.status).toBe(403);
  });
});

describe("the names of a server", () => {
  const hostsOf = (bound: { host: string; port: number }, urls: string[] = []) => [
    ...ownNames(bound, urls).origins.keys(),
  ];

  test("are the loopback names and the bound address, with the port", () => {
    expect(hostsOf({ host: "192.0.2.7", port: 4270 })).toEqual([
      "127.0.0.1:4270",
      "localhost:4270",
      "[::1]:4270",
      "192.0.2.7:4270",
    ]);
  });

  test("stand in brackets for an IPv6 address", () => {
    expect(hostsOf({ host: "2001:db8::1", port: 4270 })).toContain("[2001:db8::1]:4270");
  });

  test("are there without the port too where that is the scheme's own", () => {
    expect(hostsOf({ host: "127.0.0.1", port: 80 })).toContain("localhost");
    expect(hostsOf({ host: "127.0.0.1", port: 1 }, ["http://a.example"])).toContain("a.example:80");
  });
});

describe("on a socket", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const statusOf = (answer: string) => Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1]);
  const ask = (lines: string[], target = "GET /healthz HTTP/1.1") =>
    requestRaw(server.port, [target, ...lines, "Connection: close", "", ""].join("\r\n"));

  test("the own address is answered", async () => {
    const answer = await ask([`Host: 127.0.0.1:${server.port}`]);

    expect(statusOf(answer)).toBe(200);
  });

  test("hosts that only resemble the own address are refused", async () => {
    const { port } = server;
    const hosts = [
      "evil.example",
      `127.0.0.1.evil:${port}`,
      `127.0.0.1.:${port}`,
      `LocalHost:${port}`,
      "127.0.0.1",
      `127.0.0.1:${port + 1}`,
      "",
    ];

    const statuses = await Promise.all(hosts.map(async (host) => statusOf(await ask([`Host: ${host}`]))));

    expect(statuses).toEqual(hosts.map(() => 403));
  });

  test("two Host headers are refused, in either order", async () => {
    const own = `Host: 127.0.0.1:${server.port}`;
    const foreign = "Host: evil.example";

    const answers = await Promise.all([ask([own, foreign]), ask([foreign, own]), ask([own, own])]);

    expect(answers.map(statusOf).every((status) => status === 403 || status === 400)).toBe(true);
  });

  test("a request without any Host is refused", async () => {
    const answers = await Promise.all([ask([]), ask([], "GET /healthz HTTP/1.0")]);

    expect(answers.map(statusOf).every((status) => status === 403 || status === 400)).toBe(true);
  });

  test("the host of an absolute target doesn't replace the header", async () => {
    const own = `127.0.0.1:${server.port}`;

    const foreignHeader = await ask(["Host: evil.example"], `GET http://${own}/healthz HTTP/1.1`);

    expect(statusOf(foreignHeader)).toBe(403);
  });

  test("paths that climb out of their folder find nothing", async () => {
    const headers = [`Host: 127.0.0.1:${server.port}`, `Authorization: Bearer ${server.token}`];
    const paths = [
      "/assets/../../package.json",
      "/assets/%2e%2e/%2e%2e/package.json",
      "/assets/..%2f..%2fpackage.json",
      "/assets/....//package.json",
      "/assets//etc/passwd",
      "/../../../../etc/passwd",
      "/assets/app.css%00.js",
      "/assets/..\\..\\package.json",
    ];

    const answers = await Promise.all(paths.map((path) => ask(headers, `GET ${path} HTTP/1.1`)));

    expect(answers.map(statusOf)).toEqual(paths.map(() => 404));
  });

  test("a POST that rebinds is refused although its token is right", async () => {
    const token = `Authorization: Bearer ${server.token}`;
    const lines = ["Host: evil.example", token, "Content-Type: application/json", "Content-Length: 0"];

    const answer = await ask(lines, "POST /api/agents HTTP/1.1");

    expect(statusOf(answer)).toBe(403);
    expect(answer.toLowerCase()).toContain("\r\nx-request-id: ");
  });

  test("a request that could be read in two ways is refused", async () => {
    const lines = [`Host: 127.0.0.1:${server.port}`, "Content-Length: 4", "Transfer-Encoding: chunked"];

    const answer = await requestRaw(
      server.port,
      ["POST /api/agents HTTP/1.1", ...lines, "Connection: close", "", "0\r\n\r\nGET"].join("\r\n"),
    );

    expect([400, 401]).toContain(statusOf(answer));
  });

  test("a header of 64 KiB is refused and the server lives on", async () => {
    const huge = await ask([`Host: 127.0.0.1:${server.port}`, `X-Large: ${"x".repeat(65_536)}`]);

    const next = await ask([`Host: 127.0.0.1:${server.port}`]);

    expect([400, 431]).toContain(statusOf(huge));
    expect(statusOf(next)).toBe(200);
  });

  test("a method that nobody knows gets no answer, or a refusal, and no place in the metrics", async () => {
    const lines = [`Host: 127.0.0.1:${server.port}`, `Authorization: Bearer ${server.token}`];

    const answer = await ask(lines, "FROBNICATE /healthz HTTP/1.1");
    const metrics = await (await server.fetch("/metrics")).text();

    expect(answer === "" || [400, 405, 501].includes(statusOf(answer))).toBe(true);
    expect(metrics).not.toContain("FROBNICATE");
  });
});
