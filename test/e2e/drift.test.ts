import { expect, test } from "bun:test";
import { expectJson } from "../helpers/http.ts";
import { openStage } from "./stage.ts";

interface CliList {
  items: { cli: string; notes: string[] }[];
}

test("a CLI that tells what Headway doesn't know is named with its version, in the list of CLIs and in the metrics", async () => {
  await using stage = await openStage();
  const agent = await stage.agent();

  const { body: run } = await agent.execute("unknown-events=3 hello");
  const { items } = await expectJson<CliList>(stage.server.fetch, 200, "GET", "/api/clis");
  const metrics = await (await stage.server.fetch("/metrics")).text();

  expect(run.state).toBe("succeeded");
  expect(run.anomalies).toContainEqual({ code: "unknown_event", count: 3 });
  const notes = items.find(({ cli }) => cli === "claude")?.notes.join("\n") ?? "";
  expect(notes).toContain(`Version ${run.cliVersion} told things that Headway does not know, 3 times`);
  expect(metrics).toMatch(
    new RegExp(
      `headway_anomalies_total\\{cli="claude",version="${run.cliVersion}",code="unknown_event"\\} 3`,
    ),
  );
});
