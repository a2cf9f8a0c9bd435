import { expect, test } from "bun:test";
import { join } from "node:path";
import { claudeAdapter } from "../../../src/runner/adapters/claude.ts";
import { listRecordings, recordingsFolder, replay } from "./recordings.ts";

const folder = recordingsFolder("claude", "2.1.330");

/** Those made by hand. A recording that is lost, or came without being thought about, fails. */
const cases = [
  "bare",
  "bidi_hang_interrupt",
  "bidi_permissions",
  "bidi_session",
  "cancel_sigint",
  "cancel_sigint_in_tool",
  "cancel_sigterm",
  "clear_in_p",
  "connrefused",
  "disable_slash",
  "empty_prompt",
  "error_400",
  "error_401",
  "error_401_retries0",
  "error_404",
  "error_429",
  "error_429_retries1",
  "error_500",
  "error_529",
  "hang_timeout",
  "headless_resume_of_tmux_session",
  "json_schema",
  "long_answer",
  "markdown",
  "max_budget",
  "mcp_broken",
  "no_key",
  "perm_dontask",
  "perm_plan",
  "resume_1_new",
  "resume_2_second_turn",
  "resume_same_session_id_again",
  "resume_unknown",
  "session_id_not_uuid",
  "simple",
  "simple_partial",
  "slash_command",
  "stream_json_without_verbose",
  "tool_use",
  "tool_use_default_perm",
  "tool_use_denied_cmd",
  "tool_use_skip_perm_root",
];

test("every recording of Claude Code 2.1.330 is known, and none is missing", () => {
  const madeByHand = listRecordings(folder).filter((name) => !/^(?:one-turn|warm-)/.test(name));

  expect(madeByHand).toEqual(cases);
});

test.each(cases)("the recording %s means what its expected.json says", async (name) => {
  const expected: unknown = await Bun.file(join(folder, name, "expected.json")).json();

  expect(replay(claudeAdapter, join(folder, name)) as unknown).toEqual(expected);
});
