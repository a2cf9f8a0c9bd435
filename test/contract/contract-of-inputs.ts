import { expect } from "bun:test";
import fc from "fast-check";
import type { DialogueSpec } from "../../src/runner/adapters/adapter.ts";
import { baseSpec, keeps, open, type Subject } from "./keeping.ts";

/** Texts that a shell, a CLI's own commands, a line reader or a decoder could take for something else. */
const oddPrompts = [
  "/help",
  "!ls",
  "@package.json",
  "#remember",
  "--version",
  "-",
  "two\nlines\r\nand\ttabs\n",
  "\u2028\u2029\uFEFF",
  "\0\u0001\u001b[31mred\u009b",
  '"quoted" \\ {"type":"user"}\n{"jsonrpc":"2.0"}',
  "é漢字👩‍👩‍👧",
  "long ".repeat(60_000),
];

/** JSON may hold them as they are; a reader that takes them for line ends tears the line. */
const lineEndsOfUnicode = "\u2028\u2029";

const systemPrompt = 'Be brief.\n--dangerously "quoted"';

export function promisesAboutInputs(subject: Subject): void {
  keeps(subject, "prompt", () => {
    for (const prompt of oddPrompts) expect(promptsThatArrive(subject, prompt)).toEqual([prompt]);
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (prompt) => {
        expect(promptsThatArrive(subject, prompt)).toEqual([prompt]);
      }),
    );
  });

  keeps(subject, "prompt", () => {
    if (subject.dialect.promptEndsInput) return;
    const rehearsal = open(subject, { systemPrompt: lineEndsOfUnicode });

    rehearsal.begin(`a${lineEndsOfUnicode}b`);
    rehearsal.say(openingOf(subject));

    expect(rehearsal.dialogue.prompted).toBe(true);
    for (const input of rehearsal.inputs) expect(input).not.toMatch(/[\u2028\u2029]/);
  });

  keeps(subject, "systemPrompt", () => {
    const rehearsal = open(subject, { systemPrompt });

    rehearsal.begin("hello");
    rehearsal.say(openingOf(subject));

    const said = rehearsal.inputs.filter((input) => isTold(input, systemPrompt));
    expect(said).toHaveLength(1);
    expect(rehearsal.dialogue.prompted).toBe(true);
  });

  keeps(subject, "argv", () => {
    const { dialect } = subject;
    const spec: DialogueSpec = {
      ...baseSpec,
      systemPrompt,
      model: "a-model",
      mcpConfigPath: "/etc/mcp.json",
    };

    const commands = [true, false].flatMap((resume) =>
      (["read", "edit", "full"] as const).map((permissionMode) =>
        dialect.command({ ...spec, resume, permissionMode }),
      ),
    );

    for (const { file, args, env } of commands) {
      expect([file, ...args]).toContain(spec.executable);
      expect(JSON.stringify({ args, env })).not.toContain("Be brief");
      expect(args.filter((arg) => arg === "" || /[\n\0]/.test(arg))).toEqual([]);
    }
    expect(dialect.command(spec)).toEqual(dialect.command(spec));
  });
}

function promptsThatArrive(subject: Subject, prompt: string): string[] {
  const rehearsal = open(subject);
  rehearsal.begin(prompt);
  rehearsal.say(openingOf(subject));
  const promptIn = subject.specimen("promptIn");
  return rehearsal.inputs.flatMap((input) => promptIn(input) ?? []);
}

function openingOf(subject: Subject) {
  return subject.has("opening") ? subject.specimen("opening") : [];
}

/** As it is, or within JSON. */
function isTold(input: string, text: string): boolean {
  return input.includes(text) || input.includes(JSON.stringify(text).slice(1, -1));
}
