import { expect, test } from "bun:test";
import type { PermissionMode } from "../../../src/domain/agent.ts";
import type { RunEventBody } from "../../../src/domain/event.ts";
import type { Decoded } from "../../../src/runner/adapters/adapter.ts";
import { toolBytesMax } from "../../../src/runner/adapters/tool-events.ts";
import { eventsOf } from "../../contract/decoded.ts";
import {
  anyOptions,
  asks,
  ended,
  folder,
  lineOf,
  opening,
  prompted,
  replyTo,
  talkWith,
  tool,
  toolUpdate,
  turnOf,
  writtenBy,
} from "./acp-lines.ts";

const text = (words: string) => [{ type: "content", content: { type: "text", text: words } }];
const bash = { kind: "execute", title: "bash" };

function toolEvents(decoded: readonly Decoded[]): RunEventBody[] {
  return decoded.flatMap((one) =>
    one.kind === "event" && one.event.type.startsWith("tool.") ? [one.event] : [],
  );
}

test("a call that is told piece by piece starts once, with its whole input, and finishes once", () => {
  const input = { command: "ls", cwd: folder };

  const decoded = turnOf([
    tool("t1", { ...bash, status: "pending", rawInput: { cwd: folder } }),
    toolUpdate("t1", { status: "in_progress", title: "ls", rawInput: input }),
    toolUpdate("t1", { status: "in_progress", content: text("a") }),
    toolUpdate("t1", { status: "completed", content: text("a\nb") }),
    toolUpdate("t1", { status: "completed" }),
  ]);

  expect(toolEvents(decoded)).toEqual([
    { type: "tool.started", toolId: "t1", name: "bash", input },
    { type: "tool.finished", toolId: "t1", isError: false, output: "a\nb" },
  ]);
});

test("a call starts with its input where the agent never says that it is in progress", () => {
  const talk = prompted();

  const decoded = talk.say([lineOf(tool("t1", { ...bash, rawInput: { command: "sleep 60" } }))]);

  expect(toolEvents(decoded)).toMatchObject([{ type: "tool.started", input: { command: "sleep 60" } }]);
});

test("a call that the agent asks for starts then, and finishes when it is told to have", () => {
  const title = "Writing to a.txt";
  const change = { type: "diff", path: `${folder}/a.txt`, oldText: "", newText: "hi\n" };
  const locations = [{ path: `${folder}/a.txt` }];
  const call = { toolCallId: "write_file__call_1", kind: "edit", title, content: [change], locations };

  const decoded = turnOf([asks(0, call), toolUpdate("write_file__call_1", { status: "completed", ...call })]);

  expect(toolEvents(decoded)).toEqual([
    {
      type: "tool.started",
      toolId: "write_file__call_1",
      name: "write_file",
      input: {
        title,
        paths: [`${folder}/a.txt`],
        changes: [{ path: `${folder}/a.txt`, oldText: "", newText: "hi\n" }],
      },
    },
    {
      type: "tool.finished",
      toolId: "write_file__call_1",
      isError: false,
      output: `Changed ${folder}/a.txt.`,
    },
  ]);
});

test.each([
  [{ toolCallId: "run_shell_command__call_fake17", title: "ls" }, "run_shell_command"],
  [{ toolCallId: "read_file-1795364802767-3", title: "a.txt" }, "read_file"],
  [{ toolCallId: "toolu_01", _meta: { claudeCode: { toolName: "Bash" } }, title: "`ls`" }, "Bash"],
  [{ toolCallId: "call_1", title: "webfetch", kind: "fetch" }, "webfetch"],
  [{ toolCallId: "call_1", title: "Read a.txt, lines 1 to 9", kind: "read" }, "read"],
  [{ toolCallId: "call_1" }, "other"],
])("the tool of %j is called %s", (call, name) => {
  const decoded = turnOf([{ ...tool("", { ...call, status: "in_progress" }) }]);

  expect(eventsOf(decoded, "tool.started")).toMatchObject([{ name }]);
});

test.each([
  [{ rawOutput: "done" }, "done"],
  [{ rawOutput: { output: "done", metadata: {} } }, "done"],
  [{ rawOutput: { error: "no" } }, ""],
  [{ content: [...text("a"), { type: "terminal", terminalId: "x" }] }, "a\n[terminal]"],
  [{ content: [{ type: "content", content: { type: "image", data: "" } }] }, "[image]"],
  [{ content: text("\u001b[31mred\u001b[0m") }, "red"],
])("of the result %j the output is %p", (result, output) => {
  const decoded = turnOf([toolUpdate("t1", { status: "failed", ...result })]);

  expect(eventsOf(decoded, "tool.finished")).toMatchObject([{ isError: true, output }]);
});

test("an output or an input that is too long is cut", () => {
  const long = "x".repeat(toolBytesMax + 10);

  const decoded = turnOf([
    toolUpdate("t1", { status: "completed", rawInput: { command: long }, rawOutput: long }),
  ]);

  const [started] = eventsOf(decoded, "tool.started");
  const [finished] = eventsOf(decoded, "tool.finished");
  expect(finished?.output).toBe(`${"x".repeat(toolBytesMax)}… 10 bytes more`);
  expect(JSON.stringify(started?.input).length).toBeLessThan(toolBytesMax + 100);
});

test.each([
  ["end_turn", false],
  ["cancelled", true],
  ["refusal", true],
])("a call that is still open when the turn ends by %s ends with it; an error: %p", (stopReason, isError) => {
  const talk = prompted();
  talk.say([
    lineOf(tool("t1", { status: "in_progress", content: text("so far") })),
    lineOf(tool("t2", { status: "pending" })),
  ]);

  const decoded = talk.say([replyTo("session/prompt", { stopReason })]);

  expect(toolEvents(decoded)).toEqual([{ type: "tool.finished", toolId: "t1", isError, output: "so far" }]);
});

const inside = [{ path: `${folder}/a.txt` }];
const outside = [{ path: "/home/dev/.ssh/id_ed25519" }];

test.each<[PermissionMode, string, { path: string }[], boolean]>([
  ["read", "read", inside, true],
  ["read", "search", [], true],
  ["read", "think", [], true],
  ["read", "edit", inside, false],
  ["read", "fetch", [], false],
  ["read", "execute", [], false],
  ["read", "switch_mode", [], false],
  ["read", "read", outside, false],
  ["edit", "read", inside, true],
  ["edit", "edit", inside, true],
  ["edit", "edit", [{ path: "notes/a.txt" }], true],
  ["edit", "edit", [{ path: folder }], true],
  ["edit", "edit", [{ path: `${folder}-2/a.txt` }], false],
  ["edit", "edit", [{ path: `${folder}/../other/a.txt` }], false],
  ["edit", "move", [...inside, ...outside], false],
  ["edit", "delete", inside, false],
  ["edit", "fetch", [], false],
  ["edit", "execute", [], false],
  ["edit", "other", [], false],
  ["full", "execute", outside, true],
  ["full", "other", [], true],
])("in permission mode %s the kind %s of %j is allowed: %p", (permissionMode, kind, locations, isAllowed) => {
  const talk = prompted({ permissionMode });

  const decoded = talk.say([lineOf(asks("p1", { toolCallId: "t1", kind, title: "do_it", locations }))]);

  const outcome = { outcome: "selected", optionId: isAllowed ? "once" : "no" };
  expect(writtenBy(decoded)).toMatchObject([{ id: "p1", result: { outcome } }]);
  expect(eventsOf(decoded, "notice").map(({ code }) => code as string)).toEqual(
    isAllowed ? [] : ["permission_denied"],
  );
});

test("a call that isn't allowed is told as ended with an error, whatever the agent says of it later", () => {
  const decoded = turnOf([
    asks(0, { toolCallId: "bash__1", ...bash, title: "touch a" }),
    toolUpdate("bash__1", { status: "in_progress", rawInput: { command: "touch a" } }),
    toolUpdate("bash__1", { status: "failed", content: text("The user said no.") }),
  ]);

  expect(toolEvents(decoded)).toEqual([
    { type: "tool.started", toolId: "bash__1", name: "bash", input: { title: "touch a" } },
    {
      type: "tool.finished",
      toolId: "bash__1",
      isError: true,
      output: "Not allowed in this agent's permission mode.",
    },
  ]);
  expect(eventsOf(decoded, "notice")).toMatchObject([
    { message: expect.stringContaining('bash was not allowed in permission mode "edit".') as string },
  ]);
});

test("the kind of a call that was told before holds when it is asked for without one", () => {
  const talk = prompted({ permissionMode: "edit" });
  talk.say([lineOf(tool("t1", { kind: "edit", status: "pending" }))]);

  const decoded = talk.say([lineOf(asks(1, { toolCallId: "t1" }))]);

  expect(writtenBy(decoded)).toMatchObject([{ result: { outcome: { optionId: "once" } } }]);
});

const [always, once, no] = anyOptions;

test.each([
  ["full", [always!, no!], { outcome: "selected", optionId: "always" }],
  ["full", [no!], { outcome: "cancelled" }],
  ["read", [always!, once!], { outcome: "cancelled" }],
  ["read", [], { outcome: "cancelled" }],
] satisfies [PermissionMode, object[], object][])(
  "in permission mode %s, of the options %j the outcome is %j",
  (permissionMode, options, outcome) => {
    const talk = prompted({ permissionMode });

    const decoded = talk.say([lineOf(asks(1, { toolCallId: "t1", kind: "execute" }, options))]);

    expect(writtenBy(decoded) as unknown).toEqual([{ jsonrpc: "2.0", id: 1, result: { outcome } }]);
  },
);

test.each<[PermissionMode, string, number]>([
  ["read", "execute", 1],
  ["read", "edit", 1],
  ["edit", "execute", 1],
  ["edit", "edit", 0],
  ["read", "other", 0],
  ["full", "execute", 0],
])(
  "what ran unasked in permission mode %s (%s) is warned of %d times a turn",
  (permissionMode, kind, times) => {
    const ran = (id: string) => [
      tool(id, { kind, title: "bash", status: "in_progress" }),
      toolUpdate(id, { status: "completed" }),
    ];

    const decoded = turnOf([...ran("t1"), ...ran("t2")], { permissionMode });

    const warnings = eventsOf(decoded, "notice").filter(({ code }) => code === "cli_warning");
    expect(warnings).toHaveLength(times);
  },
);

test("harmless commands that an agent is known to run by itself aren't warned of, but edits are", () => {
  const ran = (id: string, kind: string) =>
    lineOf(toolUpdate(id, { kind, title: "it", status: "completed" }));
  const talk = talkWith({ permissionMode: "read" }, { runsUnasked: ["execute"] });
  talk.begin("hello");
  talk.say(opening());

  const [harmless, edit] = [ran("t1", "execute"), ran("t2", "edit")].map((line) => talk.say([line]));

  expect(eventsOf(harmless!, "notice")).toEqual([]);
  expect(eventsOf(edit!, "notice")).toMatchObject([{ code: "cli_warning" }]);
});

test("what the agent's own policy denied is told once as denied, and another failure isn't", () => {
  const failed = (id: string, output: string) =>
    lineOf(toolUpdate(id, { kind: "edit", title: "write", status: "failed", content: text(output) }));
  const talk = talkWith({}, { isDenial: (output) => output.startsWith("Denied") });
  talk.begin("hello");
  talk.say(opening());

  const decoded = talk.say([failed("t1", "Denied."), failed("t1", "Denied."), failed("t2", "Disk full")]);

  expect(eventsOf(decoded, "notice")).toMatchObject([
    {
      code: "permission_denied",
      message: expect.stringContaining('write was not allowed in permission mode "edit"') as string,
    },
  ]);
});

test("what was asked for, or has failed, isn't warned of", () => {
  const decoded = turnOf([
    asks(0, { toolCallId: "t1", kind: "execute" }),
    toolUpdate("t1", { status: "completed" }),
    tool("t2", { kind: "execute", status: "in_progress" }),
    toolUpdate("t2", { status: "failed" }),
  ]);

  expect(eventsOf(decoded, "notice").map(({ code }) => code)).toEqual(["permission_denied"]);
});

test("a permission that is asked for between turns is answered, and given to nobody", () => {
  const talk = prompted({ permissionMode: "full" });
  talk.say([ended()]);

  const decoded = talk.say([lineOf(asks(3, { toolCallId: "t1", kind: "read" }))]);

  expect(writtenBy(decoded)).toMatchObject([{ id: 3, result: { outcome: { outcome: "cancelled" } } }]);
  expect(decoded).toMatchObject([{ kind: "write" }, { kind: "anomaly", code: "output_after_result" }]);
});
