import { expect, test } from "bun:test";
import type { Fact } from "../../src/domain/facts.ts";
import { createDriftTally, noteOnAcpDrift, noteOnDrift } from "../../src/runner/drift-tally.ts";

function seen(cliVersion: string | null, detail: string, code = "unknown_event"): Fact {
  return { type: "anomaly.seen", cli: "claude", cliVersion, code, detail, count: 1 };
}

test("unknown events are counted by CLI, version and type", () => {
  const tally = createDriftTally();

  for (const fact of [seen("2.2.0", "mood"), seen("2.2.0", "mood"), seen("2.3.0", "mood")]) tally.hear(fact);

  expect(tally.list("claude")).toEqual([
    { cliVersion: "2.2.0", unknown: [{ type: "mood", count: 2 }] },
    { cliVersion: "2.3.0", unknown: [{ type: "mood", count: 1 }] },
  ]);
  expect(tally.list("gemini")).toEqual([]);
});

test("a note names the version, how often, and the first few types", () => {
  const unknown = ["a", "b", "c", "d", "e", "f", "g"].map((type) => ({ type, count: 2 }));

  expect(noteOnDrift({ cliVersion: "2.2.0", unknown })).toBe(
    "Version 2.2.0 told things that Headway does not know, 14 times: a, b, c, d, e and 2 more.",
  );
  expect(noteOnDrift({ cliVersion: null, unknown: unknown.slice(0, 1) })).toStartWith("It told");
});

test("a note on ACP agents doesn't say which it was", () => {
  const unknown = [{ type: "mood", count: 2 }];

  expect(noteOnAcpDrift({ cliVersion: "1.0.0", unknown })).toBe(
    "An ACP agent of version 1.0.0 told things that Headway does not know, 2 times: mood.",
  );
  expect(noteOnAcpDrift({ cliVersion: null, unknown })).toStartWith("An ACP agent told things");
});

test("other anomalies and other facts are not drift", () => {
  const tally = createDriftTally();

  tally.hear(seen("2.2.0", "a torn line", "parse_error"));
  tally.hear({ type: "agent.created", agentId: "ada" });

  expect(tally.list("claude")).toEqual([]);
});

test("a CLI that invents types and versions without end fills it to its bounds and no further", () => {
  const tally = createDriftTally();

  for (let i = 0; i < 1000; i++) tally.hear(seen("2.2.0", `type ${i}`));
  for (let i = 0; i < 1000; i++) tally.hear(seen(`3.0.${i}`, "mood"));

  const drifts = tally.list("claude");
  expect(drifts).toHaveLength(8);
  expect(drifts[0]?.unknown).toHaveLength(64);
});
