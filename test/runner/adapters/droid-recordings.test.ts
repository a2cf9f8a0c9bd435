import { expect, test } from "bun:test";
import { join } from "node:path";
import { droidAdapter } from "../../../src/runner/adapters/droid.ts";
import { listRecordings, recordingsFolder, replay } from "./recordings.ts";

const folder = recordingsFolder("droid", "0.225.2");

/**
 * A recording that is lost, or came unthought of, fails. Those that begin with `jsonrpc-` and `timed-out` were made
 * before there was an adapter; the ids of their requests are as it would have given them.
 */
const cases = [
  "bad-model",
  "blank-prompt",
  "error-401",
  "error-429",
  "error-529",
  "fork-denied",
  "fork-empty",
  "fork-of-warm",
  "fork-other-folder",
  "invalid-flag",
  "jsonrpc-interrupt-tool",
  "jsonrpc-load",
  "jsonrpc-refused",
  "jsonrpc-session",
  "no-key",
  "no-sign-in",
  "one-turn",
  "one-turn-denied",
  "one-turn-error",
  "one-turn-lost",
  "one-turn-resume",
  "one-turn-sigint",
  "one-turn-think",
  "one-turn-tool",
  "one-turn-tool-refused",
  "read-runs-touch",
  "repetition",
  "sigint-in-stream",
  "sigint-in-tool",
  "timed-out",
  "warm-bad-model",
  "warm-broken-stream",
  "warm-denied",
  "warm-empty",
  "warm-error",
  "warm-error-401",
  "warm-error-403",
  "warm-error-429",
  "warm-error-529",
  "warm-hook-refused",
  "warm-interrupt",
  "warm-interrupt-hang",
  "warm-interrupt-retries",
  "warm-lost",
  "warm-mcp",
  "warm-no-sign-in",
  "warm-repetition",
  "warm-resume",
  "warm-retries",
  "warm-tool-asked",
  "warm-tool-refused",
  "warm-tools",
  "warm-torn-session",
  "warm-turns",
];

test("every recording of Droid 0.225.2 is known, and none is missing", () => {
  expect(listRecordings(folder)).toEqual(cases);
});

test.each(cases)("the recording %s means what its expected.json says", async (name) => {
  const expected: unknown = await Bun.file(join(folder, name, "expected.json")).json();

  expect(replay(droidAdapter, join(folder, name)) as unknown).toEqual(expected);
});
