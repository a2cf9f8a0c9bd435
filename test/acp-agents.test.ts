import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { acpAgentVariables, readAcpAgents } from "../src/acp-agents.ts";
import { acpAgentsSchema } from "../src/domain/acp-agent.ts";
import { runRefusedServer } from "./helpers/server-process.ts";
import { makeTempFolder } from "./helpers/temp.ts";

const opencode = { command: "opencode", args: ["acp"] };

/** What a start makes of a file with this text. */
function read(text: string) {
  using folder = makeTempFolder();
  writeFileSync(join(folder.path, "acp-agents.json"), text);
  return withoutFolder(folder.path, readAcpAgents(folder.path));
}

/** A message names the whole path, which differs each time. */
function withoutFolder(folder: string, outcome: ReturnType<typeof readAcpAgents>) {
  return outcome.kind === "bad" ? outcome.message.replace(`${folder}/`, "") : outcome.agents;
}

describe("the file of ACP agents", () => {
  test("need not be there", () => {
    using folder = makeTempFolder();

    expect(readAcpAgents(folder.path)).toEqual({ kind: "ok", agents: [] });
  });

  test("names agents, each with what it needs and no more", () => {
    const goose = {
      command: "/opt/goose/bin/goose",
      args: ["acp", "--with", "a b"],
      env: { GOOSE_MODE: "auto", EMPTY: "" },
      passEnv: ["OPENAI_API_KEY"],
      writableFolders: ["/srv/goose"],
      title: "Goose (Block)",
    };

    expect(read(JSON.stringify({ opencode, goose }))).toEqual([
      {
        name: "opencode",
        title: "opencode",
        command: "opencode",
        args: ["acp"],
        env: {},
        passEnv: [],
        writableFolders: [],
      },
      { name: "goose", ...goose },
    ]);
  });

  test("may name none", () => {
    expect(read("{}")).toEqual([]);
  });

  const command = "the name of a program on PATH or an absolute path, at most 4096 characters, no NUL";
  const entry =
    "an object with command and, if need be, args, env, passEnv, writableFolders and title; nothing else";
  const named = "lower-case letters, digits, _ and -, at most 63, not beginning with _ or -";
  const variable = "letters, digits and _, at most 128, not beginning with a digit or HEADWAY_";
  const many = (count: number) => Array.from({ length: count }, (_, index) => `a${index}`);
  const bad: [what: string, content: unknown, message: string][] = [
    ["a list", [], ": allowed is an object of at most 32 ACP agents by name."],
    ["nothing", null, ": allowed is an object of at most 32 ACP agents by name."],
    [
      "more agents than there may be",
      Object.fromEntries(many(33).map((key) => [key, opencode])),
      ": allowed is an object of at most 32 ACP agents by name.",
    ],
    ["a name with a capital", { Goose: opencode }, `, at "Goose": allowed is ${named}.`],
    ["a name too long", { ["x".repeat(64)]: opencode }, `, at "${"x".repeat(64)}": allowed is ${named}.`],
    ["an agent without a command", { a: {} }, `, at "a" → "command": allowed is ${command}.`],
    ["an agent that is a text", { a: "opencode" }, `, at "a": allowed is ${entry}.`],
    ["a command that is an option", { a: { command: "-x" } }, `, at "a" → "command": allowed is ${command}.`],
    ["a relative path", { a: { command: "./x" } }, `, at "a" → "command": allowed is ${command}.`],
    ["a folder", { a: { command: "/opt/" } }, `, at "a" → "command": allowed is ${command}.`],
    ["a command line", { a: { command: "opencode acp" } }, `, at "a" → "command": allowed is ${command}.`],
    ["a NUL in a path", { a: { command: "/a\0b" } }, `, at "a" → "command": allowed is ${command}.`],
    [
      "a NUL in an argument",
      { a: { command: "x", args: ["acp", "\0"] } },
      `, at "a" → "args" → 1: allowed is text of at most 4096 characters, no NUL.`,
    ],
    [
      "an argument too long",
      { a: { command: "x", args: ["x".repeat(4_097)] } },
      `, at "a" → "args" → 0: allowed is text of at most 4096 characters, no NUL.`,
    ],
    [
      "too many arguments",
      { a: { command: "x", args: many(65) } },
      `, at "a" → "args": allowed is a list of at most 64 arguments.`,
    ],
    [
      "a variable of ours",
      { a: { command: "x", env: { HEADWAY_TOKEN: "1" } } },
      `, at "a" → "env" → "HEADWAY_TOKEN": allowed is ${variable}.`,
    ],
    [
      "a variable's name with a sign",
      { a: { command: "x", env: { "A=B": "1" } } },
      `, at "a" → "env" → "A=B": allowed is ${variable}.`,
    ],
    [
      "a value that is a number",
      { a: { command: "x", env: { A: 1 } } },
      `, at "a" → "env" → "A": allowed is text of at most 16384 characters, no NUL.`,
    ],
    [
      "too many variables",
      { a: { command: "x", env: Object.fromEntries(many(65).map((key) => [key, ""])) } },
      `, at "a" → "env": allowed is an object of at most 64 variables and their values.`,
    ],
    [
      "a variable of ours to be handed on",
      { a: { command: "x", passEnv: ["HEADWAY_TOKEN"] } },
      `, at "a" → "passEnv" → 0: allowed is ${variable}.`,
    ],
    [
      "names that are no list",
      { a: { command: "x", passEnv: "A" } },
      `, at "a" → "passEnv": allowed is a list of at most 64 names of variables.`,
    ],
    ["a key that nobody knows", { a: { ...opencode, cwd: "/" } }, `, at "a" → "cwd": allowed is ${entry}.`],
    [
      "a title of two lines",
      { a: { ...opencode, title: "a\nb" } },
      `, at "a" → "title": allowed is 1 to 63 characters, all visible, none of them a line break.`,
    ],
  ];

  test.each(bad)(
    "with %s is refused, in one line that says where and what is allowed",
    (_what, content, message) => {
      expect(read(JSON.stringify(content))).toBe(`acp-agents.json${message}`);
    },
  );

  test("that is no JSON is refused", () => {
    expect(read("{ opencode: }")).toBe(
      "acp-agents.json is no JSON; allowed is an object of ACP agents by name.",
    );
  });

  test("never shows a value, which may be a key", () => {
    const message = read(JSON.stringify({ a: { command: "x", env: { KEY: "sk-secret\0" } } }));

    expect(message).not.toContain("sk-secret");
  });

  test("that is huge, a folder or out of reach is refused", () => {
    using folder = makeTempFolder();
    const inside = (name: string) => join(folder.path, name);
    for (const name of ["huge", "folder/acp-agents.json", "looped"])
      mkdirSync(inside(name), { recursive: true });
    writeFileSync(inside("huge/acp-agents.json"), " ".repeat(1_048_577));
    symlinkSync("acp-agents.json", inside("looped/acp-agents.json"));

    const messages = ["huge", "folder", "looped"].map((name) =>
      withoutFolder(inside(name), readAcpAgents(inside(name))),
    );

    expect(messages).toEqual([
      "acp-agents.json is too long; allowed are 1048576 bytes.",
      "acp-agents.json is no file; allowed is a file that Headway's user may read.",
      "acp-agents.json can't be read (ELOOP); allowed is a file that Headway's user may read.",
    ]);
  });

  test("whatever it holds, it is read or refused", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(typeof acpAgentsSchema.safeParse(value).success).toBe("boolean");
        expect(typeof acpAgentsSchema.safeParse({ a: value }).success).toBe("boolean");
        expect(typeof acpAgentsSchema.safeParse({ a: { ...opencode, env: value } }).success).toBe("boolean");
      }),
    );
  });
});

test("values that entries give as variables are known under names of their own", () => {
  const agents = read(
    JSON.stringify({ a: { ...opencode, env: { KEY: "1" } }, b: { ...opencode, env: { KEY: "2" } } }),
  );

  expect(typeof agents === "string" ? agents : acpAgentVariables(agents)).toEqual({
    "acp-agents.json:a:KEY": "1",
    "acp-agents.json:b:KEY": "2",
  });
});

test("a bad file ends the start with 64 and one line", async () => {
  using folder = makeTempFolder();
  writeFileSync(join(folder.path, "acp-agents.json"), "[]");

  const { exitCode, stderr } = await runRefusedServer({ dataDir: folder.path });

  expect(exitCode).toBe(64);
  expect(stderr).toBe(
    `headway: ${folder.path}/acp-agents.json: allowed is an object of at most 32 ACP agents by name.\n`,
  );
});
