import { expect, test } from "bun:test";
import { join } from "node:path";
import { geminiAdapter } from "../../../src/runner/adapters/gemini.ts";
import { listRecordings, recordingsFolder, replay } from "./recordings.ts";

const folder = recordingsFolder("gemini", "0.61.0");

/** Of stream-json; those of ACP have a list of their own. A recording that is lost, or came unthought of, fails. */
const cases = [
  "at_mention",
  "auth_gateway",
  "auth_no_key",
  "auth_none",
  "bad_settings",
  "cancel_sigint",
  "cancel_sigint_in_tool",
  "cancel_sigkill",
  "empty_answer",
  "error_400",
  "error_401",
  "error_403",
  "error_404",
  "error_429",
  "error_429_quota",
  "error_500",
  "error_503",
  "error_503_twice",
  "error_bad_key",
  "invalid_flag",
  "loop_detected",
  "loop_unanswered",
  "midstream_error",
  "plan_mode_denied",
  "plan_mode_escapes",
  "plan_policy_violation",
  "resume_1_new",
  "resume_2_second_turn",
  "resume_other_cwd",
  "resume_same_session_id_again",
  "resume_unknown",
  "session_id_not_uuid",
  "sign_in_asks",
  "sign_in_ended",
  "simple",
  "slash_command",
  "slash_command_refused",
  "think",
  "tool_use",
  "tool_use_default",
  "tool_use_denied",
  "tool_use_failed",
  "tool_use_false",
  "tool_use_two",
  "tool_use_write",
  "two_approval_modes",
  "untrusted_folder",
];

test("every recording of Gemini CLI 0.61.0 in stream-json is known, and none is missing", () => {
  const others = /^(?:acp_|warm-|one-turn)/;

  expect(listRecordings(folder).filter((name) => !others.test(name))).toEqual(cases);
});

test.each(cases)("the recording %s means what its expected.json says", async (name) => {
  const expected: unknown = await Bun.file(join(folder, name, "expected.json")).json();

  expect(replay(geminiAdapter, join(folder, name)) as unknown).toEqual(expected);
});
