import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Cli, PermissionMode } from "../domain/agent.ts";
import { findAdapter } from "./adapters/registry.ts";
import type { ReadCliVersion } from "./process/cli-version.ts";
import type { Executable } from "./process/find-executable.ts";
import type { CliReport } from "./runner-api.ts";

/** What we know of each CLI beforehand. */
const known = {
  claude: {
    /** The version whose recordings the tests replay. */
    tested: "2.1.330",
    /** Older ones run hooks of a repository before it is trusted. */
    minimum: "2.1.163",
    install: "Install it with: npm install -g @anthropic-ai/claude-code",
    credentials: [".claude/.credentials.json"],
    carried: true,
  },
  gemini: { tested: null, minimum: null, install: "", credentials: [], carried: false },
  droid: { tested: null, minimum: null, install: "", credentials: [], carried: false },
} as const;

export interface CliReportsOptions {
  environment: Readonly<Record<string, string | undefined>>;
  isRoot: boolean;
  keepsWarm: boolean;
  version: string;
  findExecutable(cli: Cli): Executable | null;
  readVersion: ReadCliVersion;
}

/** What the server found of each CLI; asks the machine anew each time, versions are cached by file. */
export async function listClis(options: CliReportsOptions): Promise<CliReport[]> {
  const names = Object.keys(known) as (keyof typeof known)[];
  return [...(await Promise.all(names.map((cli) => reportOf(options, cli)))), demoReport(options)];
}

async function reportOf(options: CliReportsOptions, cli: keyof typeof known): Promise<CliReport> {
  const { tested, minimum, install, carried } = known[cli];
  const executable = options.findExecutable(cli);
  const version = executable ? await options.readVersion(cli, executable) : null;
  const permissionModes = permissionModesOf(options, cli);
  const notes: string[] = [];
  if (!carried) notes.push("This release does not carry it yet.");
  if (carried && !executable) notes.push(install);
  if (carried && !permissionModes.includes("full"))
    notes.push("As root it refuses the permission mode full.");
  if (version && tested && version !== tested) notes.push(`Headway's tests were made with ${tested}.`);
  return {
    cli,
    found: executable !== null,
    path: executable?.path ?? null,
    version,
    tested,
    minimum,
    signedIn: executable ? signedIn(options, cli) : "unknown",
    warm: carried && options.keepsWarm,
    permissionModes: [...permissionModes],
    notes,
  };
}

function permissionModesOf({ isRoot }: CliReportsOptions, cli: Cli): readonly PermissionMode[] {
  return findAdapter(cli)?.permissionModes(isRoot) ?? [];
}

/** A key in the environment, or a login that the CLI left in its folder; elsewhere (a keychain) it can't be told. */
function signedIn({ environment }: CliReportsOptions, cli: keyof typeof known): "yes" | "no" | "unknown" {
  const variables = findAdapter(cli)?.signInVariables ?? [];
  const hasKey = variables.some((name) => /KEY|TOKEN/.test(name) && environment[name]);
  const home = environment.HOME;
  if (hasKey) return "yes";
  if (!home || known[cli].credentials.length === 0) return "unknown";
  return known[cli].credentials.some((path) => existsSync(join(home, path))) ? "yes" : "unknown";
}

function demoReport(options: CliReportsOptions): CliReport {
  const { version, keepsWarm } = options;
  return {
    cli: "demo",
    found: true,
    path: null,
    version,
    tested: version,
    minimum: null,
    signedIn: "yes",
    warm: keepsWarm,
    permissionModes: [...permissionModesOf(options, "demo")],
    notes: ["A stand-in that comes with Headway: it talks to no model and costs nothing."],
  };
}
