import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { countsOf, editsOf } from "../../src/views/chat/edits.ts";

/** The rows of the first file, as they read. */
function linesOf(toolName: string, input: unknown): string[] {
  return (editsOf(toolName, input)?.[0]?.rows ?? []).map(({ sign, text }) => `${sign} ${text}`);
}

describe("the edits of a tool call", () => {
  test.each([
    ["Claude's Edit", "Edit", { file_path: "/w/a.ts", old_string: "b", new_string: "c", replace_all: false }],
    ["Gemini's replace", "replace", { file_path: "/w/a.ts", old_string: "b", new_string: "c" }],
    ["Droid's Edit", "Edit", { file_path: "/w/a.ts", old_str: "b", new_str: "c", change_all: false }],
  ])("are read from %s", (_cli, toolName, input) => {
    const edits = editsOf(toolName, input);

    expect(edits).toEqual([
      {
        path: "/w/a.ts",
        notes: [],
        rows: [
          { sign: "-", text: "b" },
          { sign: "+", text: "c" },
        ],
        leftOut: 0,
        added: 1,
        removed: 1,
      },
    ]);
  });

  test.each([
    ["Claude's Write", "Write", { file_path: "/w/a.ts", content: "one\ntwo\n" }],
    ["Gemini's write_file", "write_file", { file_path: "/w/a.ts", content: "one\ntwo\n" }],
    ["Droid's Create", "Create", { file_path: "/w/a.ts", content: "one\ntwo\n" }],
  ])("of %s are all lines of the file", (_cli, toolName, input) => {
    const [edit] = editsOf(toolName, input) ?? [];

    expect(edit?.path).toBe("/w/a.ts");
    expect(edit?.notes).toEqual(["whole file"]);
    expect(linesOf(toolName, input)).toEqual(["+ one", "+ two"]);
  });

  test("of MultiEdit stand one after the other, and are counted together", () => {
    const input = {
      file_path: "a.ts",
      edits: [
        { old_string: "a", new_string: "b" },
        { old_string: "c", new_string: "d\ne", replace_all: true },
      ],
    };

    const edits = editsOf("MultiEdit", input);

    expect(linesOf("MultiEdit", input)).toEqual(["- a", "+ b", "gap ", "- c", "+ d", "+ e"]);
    expect(countsOf(edits ?? [])).toEqual({ added: 3, removed: 2 });
    expect(edits?.[0]?.notes).toEqual(["every occurrence"]);
  });

  test("of an ACP agent are what it says that changed, whatever its tool is called", () => {
    const changes = [
      { path: "new.txt", newText: "one\ntwo\n" },
      { path: "old.txt", oldText: "a\nb\n", newText: "a\nc\n" },
    ];

    const edits = editsOf("some_tool", { title: "Writing", paths: ["new.txt", "old.txt"], changes });

    expect(edits?.map(({ path, added, removed }) => [path, added, removed])).toEqual([
      ["new.txt", 2, 0],
      ["old.txt", 1, 1],
    ]);
    expect(editsOf("some_tool", { changes: [{ path: 7 }] })).toBeNull();
  });

  test("of opencode have names of its own for the same things", () => {
    expect(editsOf("write", { filePath: "a.txt", content: "one\n" })).toMatchObject([
      { path: "a.txt", added: 1 },
    ]);
    expect(editsOf("edit", { filePath: "a.txt", oldString: "a\n", newString: "b\n" })).toMatchObject([
      { path: "a.txt", added: 1, removed: 1 },
    ]);
  });

  test("of NotebookEdit name the cell", () => {
    const input = { notebook_path: "n.ipynb", cell_id: "c7", new_source: "x = 1", edit_mode: "insert" };

    const edits = editsOf("NotebookEdit", input);

    expect(edits?.[0]).toMatchObject({ path: "n.ipynb", notes: ["insert cell c7"], added: 1 });
  });

  test("of ApplyPatch are one for each file", () => {
    const patch = [
      "*** Begin Patch",
      "*** Update File: src/old.ts",
      "*** Move to: src/new.ts",
      "@@ class Parser",
      " same",
      "-before",
      "+after",
      "*** Add File: docs/a.md",
      "+# A",
      "*** Delete File: gone.ts",
      "*** End Patch",
    ].join("\n");

    const edits = editsOf("ApplyPatch", { input: patch });

    expect(edits?.map(({ path, notes }) => [path, ...notes])).toEqual([
      ["src/old.ts", "moved to src/new.ts"],
      ["docs/a.md", "new file"],
      ["gone.ts", "removed"],
    ]);
    expect(linesOf("ApplyPatch", { input: patch })).toEqual([
      "gap class Parser",
      "  same",
      "- before",
      "+ after",
    ]);
    expect(countsOf(edits ?? [])).toEqual({ added: 2, removed: 1 });
  });

  test.each([
    ["Bash", { command: "sed -i s/a/b/ x" }],
    ["Edit", { file_path: "a.ts", old_string: 1, new_string: "b" }],
    ["Edit", { old_string: "a", new_string: "b" }],
    ["Edit", null],
    ["Edit", ["a"]],
    ["Write", { file_path: "a.ts" }],
    ["MultiEdit", { file_path: "a.ts", edits: [] }],
    ["MultiEdit", { file_path: "a.ts", edits: [{ old_string: "a" }] }],
    ["ApplyPatch", { input: "no patch at all" }],
    ["constructor", {}],
    ["__proto__", {}],
  ])("are none of %s with %j", (toolName, input) => {
    expect(editsOf(toolName, input)).toBeNull();
  });

  test("are read from any input without an error", () => {
    const toolName = fc.constantFrom("Edit", "MultiEdit", "Write", "NotebookEdit", "apply_patch", "replace");
    const text = fc.oneof(fc.string(), fc.constantFrom("*** Update File: a\n@@\n-x\n+y", "\r\n\n", "\ud800"));
    const name = fc.constantFrom(
      "file_path",
      "path",
      "old_string",
      "new_string",
      "content",
      "input",
      "edits",
    );
    const input = fc.dictionary(name, fc.oneof(text, fc.array(fc.dictionary(name, text)), fc.anything()));

    fc.assert(
      fc.property(toolName, input, (tool, given) => {
        const edits = editsOf(tool, given) ?? [];

        for (const { added, removed } of edits) expect(added + removed).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
