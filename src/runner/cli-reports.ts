import { existsSync } from "node:fs";
import { join } from "node:path";
import { carriedClis, type Cli, type PermissionMode } from "../domain/agent.ts";
import { findAdapter } from "./adapters/registry.ts";
import { type CliKnowledge, type KnownCli, knownClis } from "./known-clis.ts";
import type { ReadCliVersion } from "./process/cli-version.ts";
import type { Executable } from "./process/find-executable.ts";
import { pauseUpTo } from "./process/until.ts";
import type { CliFinding, CliNeed, CliReport } from "./runner-api.ts";

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
  const clis = Object.keys(knownClis) as KnownCli[];
  return [...(await Promise.all(clis.map((cli) => reportOf(options, cli)))), demoReport(options)];
}

/**
 * The same for people, with what is missing. A program that takes long to tell its version isn't waited
 * for longer than `versionMsMax`: its version is null then, and known the next time.
 */
export async function findClis(options: CliReportsOptions, versionMsMax: number): Promise<CliFinding[]> {
  const readVersion: ReadCliVersion = (cli, executable) =>
    unlessSlow(options.readVersion(cli, executable), versionMsMax);
  return (await listClis({ ...options, readVersion })).map(findingOf);
}

async function unlessSlow(version: Promise<string | null>, msMax: number): Promise<string | null> {
  const patience = pauseUpTo(msMax);
  try {
    return await Promise.race([version, patience.over.then(() => null)]);
  } finally {
    patience.end();
  }
}

async function reportOf(options: CliReportsOptions, cli: KnownCli): Promise<CliReport> {
  const { tested, minimum, install } = knownClis[cli];
  const executable = options.findExecutable(cli);
  const version = executable ? await options.readVersion(cli, executable) : null;
  const permissionModes = permissionModesOf(options, cli);
  const carried = isCarried(cli);
  const notes: string[] = [];
  if (!carried) notes.push("This release does not carry it yet.");
  if (carried && !executable && install) notes.push(`Install it with: ${install.command}`);
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

function isCarried(cli: string): boolean {
  return (carriedClis as readonly string[]).includes(cli);
}

function permissionModesOf({ isRoot }: CliReportsOptions, cli: Cli): readonly PermissionMode[] {
  return findAdapter(cli)?.permissionModes(isRoot) ?? [];
}

/** A key in the environment, or a login that the CLI left in its folder; elsewhere (a keychain) it can't be told. */
function signedIn({ environment }: CliReportsOptions, cli: KnownCli): "yes" | "no" | "unknown" {
  const variables = findAdapter(cli)?.signInVariables ?? [];
  const hasKey = variables.some((name) => /KEY|TOKEN/.test(name) && environment[name]);
  const home = environment.HOME;
  if (hasKey) return "yes";
  if (!home || knownClis[cli].credentials.length === 0) return "unknown";
  return knownClis[cli].credentials.some((path) => existsSync(join(home, path))) ? "yes" : "unknown";
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

function findingOf(report: CliReport): CliFinding {
  const known = report.cli in knownClis ? knownClis[report.cli as KnownCli] : null;
  const carried = isCarried(report.cli);
  const missing = carried && known ? missingOf(report, known) : [];
  return { report, carried, missing, signIn: known?.signIn ?? null };
}

function missingOf(report: CliReport, { install, update, signIn }: CliKnowledge): CliNeed[] {
  const { found, version, minimum } = report;
  if (!found) return present(install);
  const isOld = version !== null && minimum !== null && isOlder(version, minimum);
  return [...(isOld ? present(update) : []), ...(report.signedIn === "no" ? present(signIn) : [])];
}

function present(need: CliNeed | null): CliNeed[] {
  return need === null ? [] : [need];
}

/** By their three numbers; what a version says behind them doesn't count. */
function isOlder(version: string, than: string): boolean {
  return Bun.semver.order(version.replace(/[-+].*$/, ""), than) < 0;
}
