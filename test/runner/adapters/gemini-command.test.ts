import { expect, test } from "bun:test";
import type { SessionSpec } from "../../../src/runner/adapters/adapter.ts";
import { geminiAdapter } from "../../../src/runner/adapters/gemini.ts";

const { warm, oneTurn } = geminiAdapter.dialects;

const spec: SessionSpec = {
  executable: "/opt/gemini",
  sessionId: "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69",
  resume: false,
  cwd: "/home/dev/project",
  model: null,
  permissionMode: "edit",
  mcpConfigPath: null,
};

const policy = expect.stringMatching(/\/gemini-policy\.toml$/) as unknown as string;

test("one turn is a process of stream-json with our own session id, and the prompt is its stdin", () => {
  expect(oneTurn.command(spec)).toEqual({
    file: "/opt/gemini",
    args: [
      "--output-format",
      "stream-json",
      "--approval-mode",
      "auto_edit",
      "--admin-policy",
      policy,
      "--session-id",
      spec.sessionId,
    ],
    env: { GEMINI_CLI_TRUST_WORKSPACE: "true", GEMINI_CLI_NO_RELAUNCH: "true", NO_BROWSER: "true" },
  });
  expect(oneTurn.promptEndsInput).toBe(true);
});

test("a session that the CLI has is resumed, and a model is passed on", () => {
  const { args } = oneTurn.command({ ...spec, resume: true, model: "gemini-2.5-pro" });

  expect(args.slice(-4)).toEqual(["-m", "gemini-2.5-pro", "--resume", spec.sessionId]);
});

test("a warm process is told everything but the session by its arguments", () => {
  expect(warm.command({ ...spec, model: "gemini-2.5-pro" })).toEqual({
    file: "/opt/gemini",
    args: ["--acp", "--approval-mode", "auto_edit", "--admin-policy", policy, "-m", "gemini-2.5-pro"],
    env: oneTurn.command(spec).env,
  });
});

test.each([
  ["read", "default", true],
  ["edit", "auto_edit", true],
  ["full", "yolo", false],
] as const)(
  "mode %s is its %s; that the model can't leave it by itself: %p",
  (permissionMode, mode, isKept) => {
    for (const dialect of [warm, oneTurn]) {
      const { args } = dialect.command({ ...spec, permissionMode });

      expect(args[args.indexOf("--approval-mode") + 1]).toBe(mode);
      expect(args.includes("--admin-policy")).toBe(isKept);
    }
  },
);

test("the policy denies both doors of plan mode, above all policies of the user's", async () => {
  const { args } = oneTurn.command(spec);
  const file = args[args.indexOf("--admin-policy") + 1] ?? "";

  expect(Bun.TOML.parse(await Bun.file(file).text())).toMatchObject({
    rule: [{ toolName: ["enter_plan_mode", "exit_plan_mode"], decision: "deny", priority: 999 }],
  });
});

test.each(["nope", "latest", "5", "--help", "../../x", `${spec.sessionId} `, `${spec.sessionId}\n`])(
  "what isn't a UUID never becomes an argument: %j",
  (sessionId) => {
    expect(() => oneTurn.command({ ...spec, sessionId })).toThrow("no id of a Gemini session");
  },
);

test.each(["s-1", "latest", "--help", "../../x"])(
  "a session of the id %j, which an earlier Headway kept, is asked for as one that nobody has",
  (sessionId) => {
    const { args } = oneTurn.command({ ...spec, sessionId, resume: true });

    expect(args.slice(-2)).toEqual(["--resume", "00000000-0000-0000-0000-000000000000"]);
    expect(warm.command({ ...spec, sessionId, resume: true }).args).not.toContain(sessionId);
  },
);

test("the system prompt stands before the first prompt of a session, and nowhere else", () => {
  const systemPrompt = "Be brief.\n--dangerously";
  const first = oneTurn.open({ ...spec, systemPrompt }).begin("hello");
  const later = oneTurn.open({ ...spec, systemPrompt, resume: true }).begin("hello");
  const plain = oneTurn.open({ ...spec, systemPrompt: null }).begin("hello");

  expect(JSON.stringify(first)).toContain("Be brief.");
  expect(later).toEqual([{ kind: "write", input: "hello" }]);
  expect(plain).toEqual([{ kind: "write", input: "hello" }]);
  expect(oneTurn.command(spec).args.join(" ")).not.toContain("Be brief.");
});

test.each(["-x", "--help", "/clear", "@notes.txt", " ", "a\r\nb\u2028c \u001b[31m", '{"type":"result"}'])(
  "the prompt %j is written as it is",
  (prompt) => {
    const dialogue = oneTurn.open({ ...spec, systemPrompt: null });

    expect(dialogue.begin(prompt)).toEqual([{ kind: "write", input: prompt }]);
    expect([dialogue.prompted, dialogue.interrupt("stop")]).toEqual([true, null]);
  },
);

test("its sign-in is handed on, and sessions belong to their folder", () => {
  expect(geminiAdapter).toMatchObject({
    cli: "gemini",
    program: "gemini",
    sessionsKeepFolder: true,
    takesMcpConfig: false,
    signInVariables: [
      "GEMINI_API_KEY",
      "GOOGLE_API_KEY",
      "GOOGLE_APPLICATION_CREDENTIALS",
      "GOOGLE_CLOUD_PROJECT",
      "GOOGLE_CLOUD_LOCATION",
      "GOOGLE_GEMINI_BASE_URL",
    ],
  });
  expect(geminiAdapter.permissionModes(true)).toEqual(["read", "edit", "full"]);
});
