/** How the tools are called that the CLIs offer to a model: their names tell which CLI asks. */

export interface ToolCall {
  name: string;
  input: Record<string, unknown>;
}

interface Kit {
  shell: string;
  runs(command: string, options: { background: boolean; risk: string }): Record<string, unknown>;
  write: string;
  writes(path: string, content: string): Record<string, unknown>;
}

const description = "Run a command";

const claudeKit: Kit = {
  shell: "Bash",
  runs: (command, { background }) => ({
    command,
    description,
    ...(background ? { run_in_background: true } : {}),
  }),
  write: "Write",
  writes: (path, content) => ({ file_path: path, content }),
};

const kits: readonly Kit[] = [
  claudeKit,
  {
    shell: "run_shell_command",
    runs: (command, { background }) => ({
      command,
      description,
      ...(background ? { is_background: true } : {}),
    }),
    write: "write_file",
    writes: (path, content) => ({ file_path: path, content }),
  },
  {
    shell: "Execute",
    runs: (command, { risk }) => ({
      command,
      summary: description,
      timeout: 60,
      riskLevel: risk,
      riskLevelReason: "The fake model says so.",
    }),
    write: "Create",
    writes: (path, content) => ({ file_path: path, content }),
  },
  {
    shell: "bash",
    runs: (command) => ({ command, description }),
    write: "write",
    writes: (path, content) => ({ filePath: path, content }),
  },
];

const wish =
  /\bcall `(?<name>\w+) (?<input>\{[^`]*\})`|\b(?<kind>use tool|background tool|write file) `(?<argument>[^`]+)`/gi;

/**
 * The call that the text asks for after so many were made: null when it asks for no more, or for a tool that
 * isn't offered.
 */
export function toolCallFor(text: string, offered: readonly string[], made: number): ToolCall | null {
  const { name, input, kind = "", argument = "" } = [...text.matchAll(wish)][made]?.groups ?? {};
  if (name !== undefined && input !== undefined) return { name, input: JSON.parse(input) };
  if (argument === "") return null;
  const call = /write/i.test(kind) ? writing(argument, offered) : running(argument, text, kind, offered);
  return offered.includes(call.name) ? call : null;
}

function writing(path: string, offered: readonly string[]): ToolCall {
  const { write, writes } = kits.find((kit) => offered.includes(kit.write)) ?? claudeKit;
  return { name: write, input: writes(path, "written by the fake model\n") };
}

function running(command: string, text: string, kind: string, offered: readonly string[]): ToolCall {
  const { shell, runs } = kits.find((kit) => offered.includes(kit.shell)) ?? claudeKit;
  const risk = /\brisk=(\w+)/i.exec(text)?.[1] ?? "low";
  return { name: shell, input: runs(command, { background: /background/i.test(kind), risk }) };
}
