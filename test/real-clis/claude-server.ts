import { type CliServer, type CliServerOptions, startCliServer } from "./cli-server.ts";
import { isInstalled } from "./install.ts";

export function claudeIsInstalled(): boolean {
  return isInstalled("claude");
}

/** The server with the real Claude Code; `allow` lists shell commands that its own settings let through. */
export function startClaudeServer({
  allow,
  ...options
}: CliServerOptions & { allow?: readonly string[] } = {}): Promise<CliServer> {
  // In acceptEdits mode Claude Code denies most shell commands; its own settings can allow them.
  const settings = { ".claude/settings.json": JSON.stringify({ permissions: { allow } }) };
  return startCliServer("claude", { ...options, ...(allow ? { homeFiles: settings } : {}) });
}
