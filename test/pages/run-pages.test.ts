import { describe, expect, test } from "bun:test";
import { findLastSeq } from "../../src/routes/pages/run-pages.tsx";
import { expectJson } from "../helpers/http.ts";
import { eventsOf } from "../helpers/records.ts";
import { startServer } from "../helpers/server-process.ts";

describe("the page of a run", () => {
  test("shows its facts and events, and leads to its log", async () => {
    await using server = await startServer();
    await expectJson(server.fetch, 201, "POST", "/api/agents", {
      body: { id: "talker", cli: "demo", cwd: server.workspace },
    });
    const run = await expectJson<{ id: string }>(server.fetch, 200, "POST", "/api/agents/talker/execute", {
      body: { prompt: "code" },
    });

    const html = await (await server.fetch(`/runs/${run.id}`)).text();

    for (const part of ["run.queued", "run.finished", "Send it again", `href="/api/runs/${run.id}/log"`]) {
      expect(html).toContain(part);
    }
    expect(html).not.toContain("every 2s");
  });

  test("that isn't there says so", async () => {
    await using server = await startServer();

    const answer = await server.fetch("/runs/run_none");

    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("There is no such run");
  });

  test.each([0, 1, 2, 3, 4, 7, 8, 9, 499, 500, 501, 1_024, 5_000])(
    "finds the end of a log of %d events with few probes",
    (length) => {
      const log = eventsOf(
        "run_1",
        Array.from({ length }, () => ({ type: "thinking", text: "." })),
      );
      let probes = 0;
      const listEvents = (_: string, after: number, limit: number) => {
        probes++;
        return log.slice(after, after + limit);
      };

      const seq = findLastSeq({ listEvents }, "run_1");

      expect(seq).toBe(length);
      expect(probes).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(length + 2)) + 1);
    },
  );
});
