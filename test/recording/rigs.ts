import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PermissionMode } from "../../src/domain/agent.ts";
import type { Adapter } from "../../src/runner/adapters/adapter.ts";
import { demoAdapter } from "../../src/runner/adapters/demo.ts";
import { setupOf } from "../real-clis/cli-setup.ts";
import { realCliPath, type RealCli } from "../real-clis/install.ts";
import { knownAdapters } from "./known-adapters.ts";

/** An installed CLI, and what it needs to talk to a model API of ours from a home of its own. */
export interface Rig {
  /** The name of its recordings' folder. */
  cli: string;
  adapter: Adapter;
  executable: string;
  model: string | null;
  env: Record<string, string>;
  /** The mode that stands for one, where the CLI has none such for everybody. */
  permissionMode(mode: PermissionMode): PermissionMode;
  /** Puts its settings into an empty home folder. */
  furnish(home: string): void;
}

/** Null where the CLI isn't installed. */
export function findRig(cli: RealCli | "demo", apiUrl: string): Rig | null {
  if (cli === "demo") return demoRig;
  const executable = realCliPath(cli);
  const adapter = knownAdapters.get(cli);
  if (executable === null || adapter === undefined) return null;
  const { env, homeFiles, agent } = setupOf(cli, apiUrl, executable);
  return {
    cli,
    adapter,
    executable,
    model: typeof agent["model"] === "string" ? agent["model"] : null,
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("HEADWAY_"))),
    permissionMode: (mode) => (cli === "claude" && mode === "full" ? "edit" : mode),
    furnish(home) {
      const files = cli === "claude" ? { ...homeFiles, ...claudeSettings } : homeFiles;
      for (const [path, text] of Object.entries(files)) writeFile(join(home, path), text);
    },
  };
}

/** As root Claude Code refuses to skip permissions, so the scenarios' own commands are allowed one by one. */
const claudeSettings = {
  ".claude/settings.json": JSON.stringify({
    permissions: { allow: ["Bash(echo done)", "Bash(tail -f /dev/null)", "Bash(false)"] },
  }),
};

const demoRig: Rig = {
  cli: "demo",
  adapter: demoAdapter,
  executable: process.execPath,
  model: null,
  env: {},
  permissionMode: (mode) => mode,
  furnish() {},
};

function writeFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** As the CLI itself tells it: "2.1.330 (Claude Code)" is 2.1.330. */
export async function versionOf({ adapter, executable, cli }: Rig, home: string): Promise<string> {
  const { args } = adapter.dialects.oneTurn.command({ ...anySession, executable, cwd: home });
  // The demo agent is a script, whose path is among the arguments.
  const script = cli === "demo" ? args.slice(0, args.findIndex((arg) => arg.endsWith(".ts")) + 1) : [];
  const child = Bun.spawn([executable, ...script, "--version"], {
    env: { PATH: process.env["PATH"] ?? "", HOME: home },
    stdout: "pipe",
    stderr: "ignore",
    timeout: versionMsMax,
  });
  const told = await new Response(child.stdout).text();
  const version = /\d+\.\d+\.\d+[\w.-]*/.exec(told)?.[0];
  if (version === undefined) throw new Error(`${cli} tells no version: ${told.slice(0, 200)}`);
  return version;
}

const versionMsMax = 30_000;

const anySession = {
  sessionId: "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69",
  resume: false,
  model: null,
  permissionMode: "edit",
  mcpConfigPath: null,
} as const;
