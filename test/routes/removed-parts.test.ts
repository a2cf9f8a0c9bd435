import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "../../src/domain/run.ts";
import { collectEvents, expectJson, openEvents } from "../helpers/http.ts";
import { startApp, type TestApp } from "../helpers/test-app.ts";

const removedAt = "2100-01-01T00:00:00.000Z";

/** As the sweeps leave it in 2100. */
function removeParts(app: TestApp, runId: string): void {
  using database = new Database(join(app.dataDir, "headway.db"), { strict: true });
  database.run("pragma busy_timeout = 2000");
  const given = { runId, atMs: Date.parse(removedAt) };
  database
    .query(`update runs set events_removed_at = :atMs, log_removed_at = :atMs where id = :runId`)
    .run(given);
  database.query(`delete from run_events where run_id = :runId`).run({ runId });
  rmSync(join(app.dataDir, "logs", `${runId}.log`));
}

test("a run whose events and raw log were removed says so, and keeps its message and its answer", async () => {
  await using app = await startApp();
  await app.makeAgent();
  const before = await app.run("anna", "tool=echo zebrafish");
  const logBefore = await (await app.fetch(`/api/runs/${before.id}/log`)).text();
  removeParts(app, before.id);
  const path = `/api/runs/${before.id}`;

  const run = await expectJson<Run>(app.fetch, 200, "GET", path);
  const events = await expectJson(app.fetch, 200, "GET", `${path}/events`);
  const streamed = await collectEvents(await openEvents(app.fetch, `${path}/events`));
  const log = await app.fetch(`${path}/log`);
  const page = await (await app.fetch(`/runs/${before.id}`)).text();
  const chat = await (await app.fetch("/agents/anna")).text();
  const call = await app.fetch(`/runs/${before.id}/tools/gone`);

  expect(before).toMatchObject({ eventsRemovedAt: null, logRemovedAt: null });
  expect(logBefore).toContain("zebrafish");
  expect(run).toEqual({ ...before, eventsRemovedAt: removedAt, logRemovedAt: removedAt });
  expect(events).toEqual({ items: [], nextCursor: null });
  expect(streamed).toEqual([]);
  expect([log.status, await log.text()]).toEqual([200, `… the raw log was removed at ${removedAt}\n`]);
  expect(page).toContain("They were removed");
  expect(page).toContain("It was removed");
  expect(chat).toContain(before.content);
  expect([call.status, await call.text()]).toEqual([
    404,
    expect.stringContaining("removed because of their age"),
  ]);
});
