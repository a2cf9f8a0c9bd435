import { expect, test } from "bun:test";
import { join } from "node:path";
import { createAcpAdapter } from "../../../src/runner/adapters/acp-adapter.ts";
import { geminiAdapter } from "../../../src/runner/adapters/gemini.ts";
import { listRecordings, recordingsFolder, replay } from "./recordings.ts";

const openCode = createAcpAdapter({
  name: "opencode",
  title: "OpenCode",
  command: "opencode",
  args: ["acp"],
  env: {},
  passEnv: [],
});
const geminiFolder = recordingsFolder("gemini", "0.61.0");
const openCodeFolder = recordingsFolder("opencode", "1.18.33");

/** A recording that is lost, or came without being thought about, fails. */
const geminiCases = [
  "acp_cancel",
  "acp_cancel_in_tool",
  "acp_commands",
  "acp_errors",
  "acp_forgets",
  "acp_load",
  "acp_load_elsewhere",
  "acp_load_long",
  "acp_load_unknown",
  "acp_loop",
  "acp_no_key",
  "acp_permissions",
  "acp_read_only",
  "acp_session",
  "acp_tools",
];

const openCodeCases = [
  "acp_cancel",
  "acp_commands",
  "acp_errors",
  "acp_forgets",
  "acp_load",
  "acp_load_unknown",
  "acp_model_unknown",
  "acp_permissions",
  "acp_read_only",
  "acp_session",
];

test("every recording of ACP is known, and none is missing", () => {
  const ofGemini = listRecordings(geminiFolder).filter((name) => name.startsWith("acp_"));

  expect(ofGemini).toEqual(geminiCases);
  expect(listRecordings(openCodeFolder).filter((name) => name.startsWith("acp_"))).toEqual(openCodeCases);
});

test.each(geminiCases)(
  "the recording %s of Gemini CLI 0.61.0 means what its expected.json says",
  async (name) => {
    const expected: unknown = await Bun.file(join(geminiFolder, name, "expected.json")).json();

    expect(replay(geminiAdapter, join(geminiFolder, name)) as unknown).toEqual(expected);
  },
);

test.each(openCodeCases)(
  "the recording %s of opencode 1.18.33 means what its expected.json says",
  async (name) => {
    const expected: unknown = await Bun.file(join(openCodeFolder, name, "expected.json")).json();

    expect(replay(openCode, join(openCodeFolder, name)) as unknown).toEqual(expected);
  },
);
