import type { CliTraits } from "./shared-scenarios.ts";

export const claudeTraits: CliTraits = {
  cli: "claude",
  title: "Claude Code",
  isCli: (argv) => argv[0] === "claude" || (argv[0]?.endsWith("/claude") ?? false),
  tools: { shell: "Bash", write: "Write" },
  tellsVersion: true,
  forksSessions: false,
  errors: { 400: "cli_error", 401: "auth_required" },
  sessions: ".claude/projects",
};

export const geminiTraits: CliTraits = {
  cli: "gemini",
  title: "Gemini CLI",
  isCli: (argv) => argv.some((arg) => arg.endsWith("/gemini.js")),
  tools: { shell: "run_shell_command", write: "write_file" },
  tellsVersion: true,
  forksSessions: false,
  errors: { 400: "cli_error", 401: "auth_required" },
  sessions: ".gemini/tmp",
};

export const droidTraits: CliTraits = {
  cli: "droid",
  title: "Droid",
  isCli: (argv) => argv[0]?.endsWith("/droid") ?? false,
  tools: { shell: "Execute", write: "Create" },
  tellsVersion: true,
  forksSessions: true,
  errors: { 400: "cli_error", 401: "auth_required" },
  sessions: ".factory/sessions",
};

/** The ACP agent of an owner's configuration file, beside Gemini, which speaks ACP as well. */
export const opencodeTraits: CliTraits = {
  cli: "opencode",
  title: "OpenCode, an ACP agent of the configuration file",
  isCli: (argv) => argv[0]?.endsWith("/opencode") ?? false,
  tools: { shell: "bash", write: "write" },
  tellsVersion: false,
  forksSessions: false,
  errors: { 400: "cli_error", 401: "auth_required" },
  sessions: ".local/share/opencode",
};
