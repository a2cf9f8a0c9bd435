import { carriedClis, type Cli, type PermissionMode } from "../domain/agent.ts";
import { findAdapter } from "./adapters/registry.ts";
import { type CliKnowledge, judgeVersion, type KnownCli, knownClis, tooOldMessage } from "./known-clis.ts";
import { type Drift, noteOnDrift } from "./drift-tally.ts";
import type { ReadCliVersion } from "./process/cli-version.ts";
import type { Executable } from "./process/find-executable.ts";
import { pauseUpTo } from "./process/until.ts";
import type { CliFinding, CliNeed, CliReport } from "./runner-api.ts";
import { tellSignedIn } from "./sign-in.ts";

export interface CliReportsOptions {
  environment: Readonly<Record<string, string | undefined>>;
  isRoot: boolean;
  keepsWarm: boolean;
  version: string;
  findExecutable(cli: Cli): Executable | null;
  readVersion: ReadCliVersion;
  /** Those of the configured ACP agents. */
  listAcpAgents(): CliReport[];
  /** What it told that Headway doesn't know. */
  listDrift(cli: Cli): readonly Drift[];
}

/** What the server found of each CLI; asks the machine anew each time, versions are cached by file. */
export async function listClis(options: CliReportsOptions): Promise<CliReport[]> {
  const clis = Object.keys(knownClis) as KnownCli[];
  const known = await Promise.all(clis.map((cli) => reportOf(options, cli)));
  return [...known, ...options.listAcpAgents(), demoReport(options)];
}

/**
 * The same for people, with what is missing. A program that takes long to tell its version isn't waited
 * for longer than `versionMsMax`: its version is null then, and known the next time.
 */
export async function findClis(options: CliReportsOptions, versionMsMax: number): Promise<CliFinding[]> {
  const readVersion: ReadCliVersion = (cli, executable) =>
    unlessSlow(options.readVersion(cli, executable), versionMsMax);
  return (await listClis({ ...options, readVersion })).map((report) => findingOf(options, report));
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
  const { environment, keepsWarm } = options;
  const known = knownClis[cli];
  const executable = options.findExecutable(cli);
  const version = executable ? await options.readVersion(cli, executable) : null;
  const permissionModes = permissionModesOf(options, cli);
  const variables = findAdapter(cli)?.signInVariables ?? [];
  const signedIn = executable ? tellSignedIn(known, { variables, environment }) : "unknown";
  return {
    cli,
    acpAgent: null,
    found: executable !== null,
    path: executable?.path ?? null,
    version,
    tested: known.tested,
    minimum: known.minimum,
    signedIn,
    warm: keepsWarm,
    permissionModes: [...permissionModes],
    notes: executable
      ? [
          ...(signedIn === "no" ? [known.signIn.advice] : []),
          ...notesOn(known, version, permissionModes),
          ...trapsOf(known, environment),
          ...known.remarks,
          ...options.listDrift(cli).map(noteOnDrift),
        ]
      : [`Install it with: ${known.install.command}`],
  };
}

function permissionModesOf({ isRoot }: CliReportsOptions, cli: Cli): readonly PermissionMode[] {
  return findAdapter(cli)?.permissionModes(isRoot) ?? [];
}

function notesOn(
  known: CliKnowledge,
  version: string | null,
  permissionModes: readonly PermissionMode[],
): string[] {
  const versionNote = noteOnVersion(known, version);
  return [
    ...(permissionModes.includes("full") ? [] : ["As root it refuses the permission mode full."]),
    ...(versionNote === null ? [] : [versionNote]),
  ];
}

function noteOnVersion(known: CliKnowledge, version: string | null): string | null {
  const { tested } = known;
  if (version === null || version === tested) return null;
  switch (judgeVersion(version, known)) {
    case "too_old":
      return tooOldMessage(version, known);
    case "newer_than_tested":
      return `This version is newer than ${tested}, the last that Headway's tests know.`;
    default:
      return `Headway's tests were made with ${tested}.`;
  }
}

function trapsOf({ traps }: CliKnowledge, environment: CliReportsOptions["environment"]): string[] {
  return traps.filter(({ onlyWith }) => onlyWith === null || environment[onlyWith]).map(({ note }) => note);
}

function demoReport(options: CliReportsOptions): CliReport {
  const { version, keepsWarm } = options;
  return {
    cli: "demo",
    acpAgent: null,
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

function findingOf({ environment }: CliReportsOptions, report: CliReport): CliFinding {
  const carried = (carriedClis as readonly string[]).includes(report.cli);
  const takesMcpConfig = findAdapter(report.cli as Cli)?.takesMcpConfig ?? false;
  const known = report.cli in knownClis ? knownClis[report.cli as KnownCli] : null;
  const told = known === null ? findingOfOther(report) : findingOfKnown(known, report, environment);
  return { report, carried, takesMcpConfig, ...told };
}

type Told = Omit<CliFinding, "report" | "carried" | "takesMcpConfig">;

function findingOfKnown(
  known: CliKnowledge,
  report: CliReport,
  environment: CliReportsOptions["environment"],
): Told {
  const judgement = judgeVersion(report.version, known);
  const newer = judgement === "newer_than_tested" ? [noteOnVersion(known, report.version)] : [];
  return {
    missing: missingOf(report, known),
    signIn: known.signIn,
    judgement,
    hints: [...newer, ...trapsOf(known, environment)].filter((hint) => hint !== null),
    permissionWords: known.permissionWords,
  };
}

/** The demo, and ACP agents, about which nothing is known beforehand. */
function findingOfOther({ found, notes }: CliReport): Told {
  const lost: CliNeed = { what: "install", advice: notes.join(" "), command: null };
  return {
    missing: found ? [] : [lost],
    signIn: null,
    judgement: "unknown",
    hints: found ? notes : [],
    permissionWords: null,
  };
}

function missingOf(report: CliReport, known: CliKnowledge): CliNeed[] {
  if (!report.found) return [known.install];
  const isOld = judgeVersion(report.version, known) === "too_old";
  return [...(isOld ? [known.update] : []), ...(report.signedIn === "no" ? [known.signIn] : [])];
}
