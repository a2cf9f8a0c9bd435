import { afterAll, beforeAll, expect, test } from "bun:test";
import { type RouteCase, routeCases, surfaceTroubles } from "../helpers/route-cases.ts";
import { appOrigin, startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const closedRoutes = () => routeCases(app).filter(({ isOpen }) => !isOpen);

/** One line for each route that doesn't answer as expected. */
async function unexpected(
  cases: RouteCase[],
  headers: Record<string, string>,
  isExpected: (response: Response, route: RouteCase) => boolean,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const route of cases) {
    const response = await app.send(route.path, { method: route.method, headers });
    const troubles = surfaceTroubles(response);
    if (!isExpected(response, route)) troubles.push(`answered ${response.status}`);
    if (troubles.length > 0) wrong.push(`${route.method} ${route.path}: ${troubles.join(", ")}`);
    await response.body?.cancel();
  }
  return wrong;
}

test("the sweep covers the API, the pages and the ways in", () => {
  const cases = routeCases(app).map(({ method, path }) => `${method} ${path}`);

  expect(cases.length).toBeGreaterThan(40);
  expect(cases).toContain("POST /api/agents/nobody/execute");
  expect(cases).toContain("GET /metrics");
  expect(cases).toContain("GET /");
  expect(cases).toContain("POST /agents/nobody/turns");
  expect(cases).toContain("POST /logout");
});

test("without a token every route but the open ones answers 401 as a problem", async () => {
  const problems: unknown[] = [];

  const wrong = await unexpected(closedRoutes(), {}, (response) => {
    problems.push(response.headers.get("content-type"));
    return response.status === 401 && response.headers.has("www-authenticate");
  });

  expect(wrong).toEqual([]);
  expect(new Set(problems)).toEqual(new Set(["application/problem+json"]));
});

test("without a token a page is answered with the way to the login, and only a page", async () => {
  const headers = { accept: "text/html,application/xhtml+xml" };

  const wrong = await unexpected(closedRoutes(), headers, (response, { method, path }) => {
    const isPage = method === "GET" && !path.startsWith("/api/");
    const wanted = `/login?next=${encodeURIComponent(path)}`;
    return isPage
      ? response.status === 303 && response.headers.get("location") === wanted
      : response.status === 401;
  });

  expect(wrong).toEqual([]);
});

const wrongCredentials: Record<string, (token: string) => Record<string, string>> = {
  "a wrong token": () => ({ authorization: "Bearer 0123456789abcdef0123456789abcdef" }),
  "an empty token": () => ({ authorization: "Bearer " }),
  "a token that is cut short": (token) => ({ authorization: `Bearer ${token.slice(0, -1)}` }),
  "a token that is too long": (token) => ({ authorization: `Bearer ${token}x` }),
  "the token in the wrong scheme": (token) => ({ authorization: `Basic ${btoa(`headway:${token}`)}` }),
  "two tokens": (token) => ({ authorization: `Bearer x, Bearer ${token}` }),
  "the token as a cookie": (token) => ({ cookie: `headway_login=${token}` }),
  "an invented login": () => ({ cookie: `headway_login=${"A".repeat(43)}` }),
};

for (const [what, headersOf] of Object.entries(wrongCredentials)) {
  test(`${what} opens no route`, async () => {
    const headers = headersOf(app.token);

    const wrong = await unexpected(closedRoutes(), headers, ({ status }) => status === 401);

    expect(wrong).toEqual([]);
  });
}

test("the token in the address opens no route", async () => {
  const query = `?token=${app.token}&access_token=${app.token}`;
  const cases = closedRoutes().map((route) => ({ ...route, path: route.path + query }));

  const wrong = await unexpected(cases, {}, ({ status }) => status === 401);

  expect(wrong).toEqual([]);
});

test("the right token opens every route", async () => {
  const headers = { authorization: `Bearer ${app.token}`, accept: "text/html" };
  // The login form wants the token itself, and says 401 without it.
  const cases = routeCases(app).filter(({ method, path }) => `${method} ${path}` !== "POST /login");

  const wrong = await unexpected(cases, headers, ({ status }) => ![401, 403].includes(status));

  expect(wrong).toEqual([]);
});

test("open routes answer without a token, also when a wrong one is sent along", async () => {
  const open = ["/healthz", "/readyz", "/login"].map((path) => ({ method: "GET", path, isOpen: true }));

  const plain = await unexpected(open, {}, ({ status }) => status === 200);
  const withWrongToken = await unexpected(
    open,
    { authorization: "Bearer wrong" },
    ({ status }) => status === 200,
  );

  expect(plain).toEqual([]);
  expect(withWrongToken).toEqual([]);
});

test("paths that nobody serves tell a stranger nothing", async () => {
  const paths = [
    "/api",
    "/api/",
    "/api/nothing",
    "/nothing",
    "/api/agents/",
    "/.git/config",
    "//healthz",
    "/healthz/",
  ];
  const cases = ["GET", "POST", "PUT", "DELETE", "OPTIONS"].flatMap((method) =>
    paths.map((path) => ({ method, path, isOpen: false })),
  );

  const wrong = await unexpected(cases, {}, ({ status }) => status === 401);

  expect(wrong).toEqual([]);
});

test("a path that only looks open isn't", async () => {
  const paths = [
    "/assets/../api/agents",
    "/assets/..%2fapi%2fagents",
    "/login/../api/agents",
    "/%61pi/agents",
  ];

  const statuses = await Promise.all(
    paths.map(async (path) => {
      const request = new Request(appOrigin, { headers: {} });
      return (await app.send(path, request)).status;
    }),
  );

  expect(statuses.every((status) => [401, 404].includes(status))).toBe(true);
});

test("HEAD tells a stranger no more than GET does", async () => {
  const cases = closedRoutes()
    .filter(({ method }) => method === "GET")
    .map((route) => ({ ...route, method: "HEAD" }));

  const wrong = await unexpected(cases, { accept: "text/html" }, ({ status }) => status === 401);

  expect(wrong).toEqual([]);
});

test("an event stream without a token is refused, and none is opened", async () => {
  const headers = { accept: "text/event-stream" };

  const response = await app.send("/api/runs/run_1/events", { headers });
  const metrics = await (await app.fetch("/metrics")).text();

  expect(response.status).toBe(401);
  expect(metrics).toContain("\nheadway_streams_open 0\n");
});
