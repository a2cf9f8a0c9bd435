import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { routeCases, surfaceTroubles } from "../helpers/route-cases.ts";
import { startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
  await app.makeAgent({ id: "anna", cli: "demo" });
});
afterAll(() => app[Symbol.asyncDispose]());

const segment = fc.oneof(
  fc.constantFrom("anna", "nobody", "%", "%ff", "%00", "..", "__proto__", "*", ":runId"),
  fc.string({ unit: "binary", maxLength: 30 }).map((text) => encodeURIComponent(text.toWellFormed())),
);
const queryValue = fc.oneof(fc.constantFrom("", "0", "-1", "1e9", "true", "NaN", "null", "[]", "%"), segment);
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom("limit", "cursor", "after", "before", "q", "force", "format", "state", "next", "v"),
      queryValue,
    ),
    { maxLength: 3 },
  )
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join("&"));
const body = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.string({ maxLength: 60 }),
  fc
    .record(
      {
        id: fc.string(),
        cli: fc.constantFrom("demo", "claude", "acp", 1),
        cwd: fc.oneof(fc.string(), fc.constantFrom("/", "/etc", "/\0")),
        prompt: fc.oneof(fc.string(), fc.constant("\0")),
        timeoutMs: fc.oneof(fc.integer(), fc.double()),
        conversationId: fc.string({ minLength: 1 }),
        metadata: fc.dictionary(fc.string(), fc.jsonValue()),
        queued: fc.oneof(fc.boolean(), fc.string()),
        token: fc.string(),
        next: fc.string(),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
);
const contentType = fc.constantFrom(
  "application/json",
  "application/json; charset=utf-8",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "text/plain",
  "",
);
const accept = fc.constantFrom("*/*", "text/html", "application/json", "text/event-stream", "nonsense;q=");

test("no request is a bug of ours, and every answer carries what keeps others out", async () => {
  // Those would run, or end, what is there, which other tests do on purpose.
  const routes = routeCases(app).filter(({ path }) => path !== "/demo-agent");

  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      segment,
      query,
      body,
      contentType,
      accept,
      async (route, name, queryText, bodyText, type, accepted) => {
        const path = `${route.path.replace("nobody", name)}?${queryText}`;
        const hasBody = route.method !== "GET";
        const response = await app.fetch(path, {
          method: route.method,
          headers: { "content-type": type, accept: accepted },
          ...(hasBody ? { body: bodyText } : {}),
        });
        await response.body?.cancel();
        expect({ path, status: response.status, troubles: surfaceTroubles(response) }).toEqual({
          path,
          status: response.status === 500 ? -1 : response.status,
          troubles: [],
        });
      },
    ),
    { numRuns: 1_500 },
  );

  expect(app.lines.filter((line) => line.includes('"request.failed"'))).toEqual([]);
}, 30_000);
