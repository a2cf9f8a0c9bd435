import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Agent } from "../../src/domain/agent.ts";
import { expectJson } from "../helpers/http.ts";
import { problemLine } from "../helpers/problems.ts";
import { startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
  await app.makeAgent({ id: "anna" });
});
afterAll(() => app[Symbol.asyncDispose]());

describe("a list", () => {
  const lists = ["/api/agents", "/api/runs", "/api/conversations"];
  const foreignCursors = ["zzz", "nonsense", "%00", "9".repeat(200), btoa("agents:1:2:3"), "' or 1=1", "-1"];
  for (const cursor of foreignCursors) {
    test(`a cursor that isn't the list's own is refused: ${cursor.slice(0, 20)}`, async () => {
      const lines = await Promise.all(
        lists.map(async (path) =>
          problemLine(await app.fetch(`${path}?cursor=${encodeURIComponent(cursor)}`)),
        ),
      );

      expect(lines).toEqual(lists.map(() => "422 invalid cursor"));
    });
  }

  test("a cursor of another list is refused", async () => {
    const line = await problemLine(
      await app.fetch(`/api/runs?cursor=${btoa("agents:1").replace(/=+$/, "")}`),
    );

    expect(line).toBe("422 invalid cursor");
  });

  test("a cursor without a character is none", async () => {
    const statuses = await Promise.all(
      lists.map(async (path) => (await app.fetch(`${path}?cursor=`)).status),
    );

    expect(statuses).toEqual([200, 200, 200]);
  });

  test("goes on behind an agent that was deleted meanwhile", async () => {
    await using other = await startApp();
    for (const id of ["first", "second", "third"]) await other.makeAgent({ id });
    const list = (query: string) =>
      expectJson<{ items: Agent[]; nextCursor: string }>(other.fetch, 200, "GET", `/api/agents${query}`);
    const page = await list("?limit=1");

    await expectJson(other.fetch, 204, "DELETE", "/api/agents/third");
    const next = await list(`?cursor=${page.nextCursor}`);

    expect(next.items.map(({ id }) => id)).toEqual(["second", "first"]);
  });
});

describe("the events of a run", () => {
  test("are refused to a cursor that isn't theirs, as to such an after", async () => {
    const run = await app.run("anna", "hello");
    const line = async (query: string) => problemLine(await app.fetch(`/api/runs/${run.id}/events?${query}`));

    const lines = await Promise.all(["cursor=zzz", "cursor=-1", "cursor=1.5", "after=abc"].map(line));
    const beyondTheEnd = await expectJson(
      app.fetch,
      200,
      "GET",
      `/api/runs/${run.id}/events?cursor=999999999999999`,
    );

    expect(lines).toEqual([...Array<string>(3).fill("422 invalid cursor"), "422 invalid after"]);
    expect(beyondTheEnd).toEqual({ items: [], nextCursor: null });
  });
});
