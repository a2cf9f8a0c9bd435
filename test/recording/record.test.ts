import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostname } from "node:os";
import { makeTempFolder } from "../helpers/temp.ts";
import { listRecordings, play, readRecording } from "../runner/adapters/recordings.ts";
import { describeDialect } from "./describe.ts";
import { perform } from "./perform.ts";
import { keep, record } from "./record.ts";
import { findRig } from "./rigs.ts";
import type { Scenario } from "./scenarios.ts";

/* The recorder, with the demo agent, which is always there; the real CLIs are recorded in test/real-clis. */

const apiUrl = "http://127.0.0.1:1";
const rig = findRig("demo", apiUrl)!;
const talkAndStop: Scenario = {
  name: "talk-and-stop",
  form: "warm",
  steps: [{ say: "think" }, { say: "slow", stop: { after: "text", by: "interrupt" } }],
};
const stopInTool: Scenario = {
  name: "stop-in-tool",
  form: "oneTurn",
  steps: [{ say: "a slow tool", stop: { after: "tool.started", by: "SIGINT" } }],
};
const recall: Scenario = {
  name: "recall",
  form: "oneTurn",
  resumes: "an earlier one",
  steps: [{ say: "remember?" }],
};

test("a scenario's turns are recorded as they went, and replay to the same", async () => {
  const recorded = await perform(rig, talkAndStop, apiUrl);

  expect(recorded.exit).toEqual({ exitCode: 0, signal: null });
  expect(endsOf(play(rig.adapter, recorded))).toEqual(["succeeded", "aborted"]);
  expect(recorded.inputs.map((input) => (JSON.parse(input) as { type: string }).type)).toEqual([
    "user",
    "user",
    "control_request",
  ]);
});

test("two recordings of the same are alike to the letter", async () => {
  const [one, other] = [await perform(rig, recall, apiUrl), await perform(rig, recall, apiUrl)];

  expect(one).toEqual(other);
  expect(one.lines.join("\n")).toContain("1. remember me");
});

test("a recording that is kept holds nothing of the machine, and says with what it was made", async () => {
  using folder = makeTempFolder();
  const report = await record(rig, [stopInTool], apiUrl);

  await keep(rig, report, (cli, version) => join(folder.path, cli, version));

  const kept = join(folder.path, "demo", "1.0.0");
  const { args, exit } = readRecording(join(kept, "stop-in-tool"));
  const files = ["args.json", "stdin.jsonl", "stdout.jsonl", "exit.json", "expected.json"];
  const text = files.map((name) => readFileSync(join(kept, "stop-in-tool", name), "utf8")).join("\n");
  expect(listRecordings(kept)).toEqual(["stop-in-tool"]);
  expect([args[0], exit]).toEqual(["demo", { exitCode: 0, signal: null }]);
  for (const fact of ["/tmp/", import.meta.dir, process.execPath, hostname()])
    expect(text).not.toContain(fact);
  expect(JSON.parse(readFileSync(join(kept, "dialect.json"), "utf8"))).toMatchObject({
    read: { "result/error_during_execution": { terminal_reason: "string" } },
    scenarios: { "stop-in-tool": { exit: "0", ends: ["aborted"], unknown: [] } },
  });
  expect(report.keptVersion).toBeNull();
});

test("what a CLI printed is described as what was kept of it", async () => {
  const [one, other] = [await perform(rig, recall, apiUrl), await perform(rig, recall, apiUrl)];

  expect(describeDialect(one)).toEqual(describeDialect(other));
});

function endsOf({ turns }: ReturnType<typeof play>): string[] {
  return turns.flat().flatMap((one) => (one.kind === "turn.ended" ? [one.verdict.kind] : []));
}
