import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { requestRaw } from "../helpers/http.ts";
import { routeCases, surfaceTroubles } from "../helpers/route-cases.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { appHost, appOrigin, appPort, startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;
let cookie: string;

beforeAll(async () => {
  app = await startApp({ env: { HEADWAY_PUBLIC_URL: "https://headway.example,http://other.example:8080" } });
  const body = new URLSearchParams({ token: app.token });
  const login = await app.send("/login", { method: "POST", body });
  cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
});
afterAll(() => app[Symbol.asyncDispose]());

const bearer = () => ({ authorization: `Bearer ${app.token}` });
const unsafeMethods = ["POST", "PUT", "PATCH", "DELETE"];
const topLevel = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

async function refusedCode(path: string, method: string, headers: Record<string, string>): Promise<string> {
  const response = await app.send(path, { method, headers });
  const troubles = surfaceTroubles(response);
  if (troubles.length > 0) return troubles.join(", ");
  if (response.status !== 403) return `${response.status}`;
  return ((await response.json()) as { code: string }).code;
}

async function notRefused(headers: Record<string, string>): Promise<string[]> {
  const wrong: string[] = [];
  for (const { method, path } of [...routeCases(app), { method: "OPTIONS", path: "/api/agents" }]) {
    const code = await refusedCode(path, method, headers);
    if (code !== "forbidden_origin") wrong.push(`${method} ${path}: ${code}`);
  }
  return wrong;
}

describe("every route refuses", () => {
  test("a foreign Origin without a token", async () => {
    expect(await notRefused({ origin: "https://evil.example" })).toEqual([]);
  });

  test("a foreign Origin with the token", async () => {
    expect(await notRefused({ origin: "https://evil.example", ...bearer() })).toEqual([]);
  });

  test("a foreign Origin with a login", async () => {
    expect(await notRefused({ origin: "https://evil.example", cookie })).toEqual([]);
  });

  test("the Origin null of sandboxed frames and files", async () => {
    expect(await notRefused({ origin: "null", ...bearer() })).toEqual([]);
  });

  test("what a browser calls cross-site, although the token is right", async () => {
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" };

    expect(await notRefused({ ...headers, ...bearer() })).toEqual([]);
  });
});

describe("an Origin", () => {
  const origins: Record<string, number> = {
    [appOrigin]: 200,
    [`https://${appHost}`]: 403,
    "http://127.0.0.1": 403,
    [`http://127.0.0.1:${appPort + 1}`]: 403,
    [`http://127.0.0.1:${appPort}.evil.example`]: 403,
    [`http://127.0.0.1.evil.example:${appPort}`]: 403,
    [`${appOrigin}/`]: 403,
    [`${appOrigin}, https://evil.example`]: 403,
    [`https://evil.example, ${appOrigin}`]: 403,
    "file://": 403,
    "chrome-extension://abcdef": 403,
    "": 403,
  };
  for (const [origin, status] of Object.entries(origins)) {
    test(`${JSON.stringify(origin)} is answered with ${status}`, async () => {
      const response = await app.send("/api/agents", { headers: { origin, ...bearer() } });

      expect(response.status).toBe(status);
    });
  }

  const behindProxy: [host: string, origin: string, status: number][] = [
    ["headway.example", "https://headway.example", 200],
    ["headway.example:443", "https://headway.example", 200],
    ["headway.example", "http://headway.example", 403],
    ["headway.example", "https://headway.example:8443", 403],
    ["headway.example", appOrigin, 403],
    ["other.example:8080", "http://other.example:8080", 200],
    ["other.example:8080", "https://headway.example", 403],
    [appHost, "https://headway.example", 403],
  ];
  for (const [host, origin, status] of behindProxy) {
    test(`${origin} under the host ${host} is answered with ${status}`, async () => {
      const response = await app.send("/api/agents", { headers: { host, origin, ...bearer() } });

      expect(response.status).toBe(status);
    });
  }
});

describe("Sec-Fetch-Site: cross-site", () => {
  const site = { "sec-fetch-site": "cross-site" };

  test("is let through as a top-level navigation: somebody followed a link to us", async () => {
    const response = await app.send("/", { headers: { ...site, ...topLevel, cookie } });

    expect(response.status).toBe(200);
  });

  test("without a login leads from a link to the login page", async () => {
    const response = await app.send("/", { headers: { ...site, ...topLevel, accept: "text/html" } });

    expect(response.status).toBe(303);
  });

  const embeddings: Record<string, Record<string, string>> = {
    "an image": { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
    "a script": { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
    "a frame": { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
    "an object": { "sec-fetch-mode": "navigate", "sec-fetch-dest": "object" },
    "a fetch": { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
    "something that doesn't say what": {},
  };
  for (const [what, headers] of Object.entries(embeddings)) {
    test(`is refused for ${what}`, async () => {
      expect(await refusedCode("/", "GET", { ...site, ...headers, cookie })).toBe("forbidden_origin");
    });
  }

  for (const method of ["HEAD", "OPTIONS", ...unsafeMethods]) {
    test(`is refused for ${method}, also as a navigation`, async () => {
      const response = await app.send("/login", { method, headers: { ...site, ...topLevel } });

      expect(response.status).toBe(403);
    });
  }

  test("can't open an event stream", async () => {
    const headers = { ...site, accept: "text/event-stream", cookie };

    expect(await refusedCode("/api/runs/run_1/events", "GET", headers)).toBe("forbidden_origin");
  });
});

describe("a login alone", () => {
  const unsafeCases = () => routeCases(app).filter(({ method }) => unsafeMethods.includes(method));

  test("reads", async () => {
    const response = await app.send("/api/agents", { headers: { cookie } });

    expect(response.status).toBe(200);
  });

  test("changes nothing on any route without a sign that our own page asks", async () => {
    const wrong: string[] = [];

    for (const { method, path } of unsafeCases()) {
      for (const sign of [{}, { "sec-fetch-site": "none" }, { "sec-fetch-site": "same-site" }]) {
        const code = await refusedCode(path, method, { cookie, ...(sign as Record<string, string>) });
        if (code !== "forbidden_origin") wrong.push(`${method} ${path} ${JSON.stringify(sign)}: ${code}`);
      }
    }

    expect(wrong).toEqual([]);
  });

  for (const [what, sign] of [
    ["our Origin", { origin: appOrigin }],
    ["Sec-Fetch-Site: same-origin", { "sec-fetch-site": "same-origin" }],
  ] as [string, Record<string, string>][]) {
    test(`changes things with ${what}`, async () => {
      const headers = { cookie, ...sign, "content-type": "application/json" };

      const response = await app.send("/api/agents", { method: "POST", headers, body: "{}" });

      expect(response.status).toBe(422);
    });
  }

  test("can't be used by a form of another site, which can send text/plain", async () => {
    const headers = { cookie, "content-type": "text/plain" };

    const response = await app.send("/api/agents", { method: "POST", headers, body: "{}" });

    expect([403, 415]).toContain(response.status);
  });
});

describe("nobody is let in from elsewhere", () => {
  test("a preflight is answered without leave to go on", async () => {
    const headers = {
      origin: "https://evil.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    };

    const responses = [
      await app.send("/api/agents", { method: "OPTIONS", headers }),
      await app.send("/api/agents", {
        method: "OPTIONS",
        headers: { ...headers, origin: appOrigin, ...bearer() },
      }),
    ];

    expect(responses.map(({ status }) => status)).toEqual([403, 405]);
    expect(responses.flatMap(surfaceTroubles)).toEqual([]);
  });

  test("good and bad answers of every kind carry the headers that keep others out", async () => {
    const asked: [path: string, init: RequestInit][] = [
      ["/healthz", {}],
      ["/login", {}],
      ["/assets/app.css", {}],
      ["/assets/none.css", {}],
      ["/", { headers: { accept: "text/html" } }],
      ["/", { headers: { cookie } }],
      ["/api/agents", { headers: { cookie } }],
      ["/api/docs", { headers: bearer() }],
      ["/api/agents", { method: "POST", headers: bearer(), body: "{" }],
      ["/metrics", { headers: bearer() }],
      ["/nothing", { headers: bearer() }],
    ];

    const responses = await Promise.all(asked.map(([path, init]) => app.send(path, init)));

    expect(responses.flatMap(surfaceTroubles)).toEqual([]);
  });

  test("a request id of the client's is kept when it is harmless, and only then", async () => {
    const given = ["abc-123_XYZ", 'x" onload="', "x".repeat(65), "a b"];

    const kept = await Promise.all(
      given.map(async (id) => {
        const response = await app.send("/healthz", { headers: { "x-request-id": id } });
        return response.headers.get("x-request-id") === id;
      }),
    );

    expect(kept).toEqual([true, false, false, false]);
  });
});

describe("on a socket", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("two Origin headers are refused, in either order", async () => {
    const own = `Origin: http://127.0.0.1:${server.port}`;
    const foreign = "Origin: https://evil.example";
    const ask = (origins: string[]) =>
      requestRaw(
        server.port,
        [
          "GET /healthz HTTP/1.1",
          `Host: 127.0.0.1:${server.port}`,
          ...origins,
          "Connection: close",
          "",
          "",
        ].join("\r\n"),
      );

    const answers = await Promise.all([ask([own, foreign]), ask([foreign, own]), ask([own])]);

    expect(answers.map((answer) => answer.slice(9, 12))).toEqual(["403", "403", "200"]);
  });
});
