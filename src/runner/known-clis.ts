import type { PermissionMode } from "../domain/agent.ts";
import type { CliNeed, VersionJudgement } from "./runner-api.ts";

export type KnownCli = "claude" | "gemini" | "droid";

/** The versions between which we know a CLI; null where there is no bound. */
export interface KnownVersions {
  /** The version whose recordings the tests replay. */
  tested: string | null;
  /** The oldest that is started. */
  minimum: string | null;
}

export interface CliKnowledge extends KnownVersions {
  /** As its maker calls it. */
  name: string;
  /** What the versions below the minimum do that is not tolerable; a clause that begins with "older ones". */
  olderOnes: string | null;
  install: CliNeed;
  update: CliNeed;
  signIn: CliNeed;
  /** Files below the home folder, one of which is there when somebody has signed in; they are never read. */
  credentials: readonly string[];
  /** What it makes below the home folder when it is first started; null where a sign-in may be elsewhere. */
  firstTrace: string | null;
  /** What our permission modes are in its own words. */
  permissionWords: Readonly<Record<PermissionMode, string>>;
  traps: readonly Trap[];
  /** What those want to know who write programs for Headway. */
  remarks: readonly string[];
}

/** What else its users run into: sentences for people. */
export interface Trap {
  note: string;
  /** The variable of the environment without which it can't happen; null when it always can. */
  onlyWith: string | null;
}

/** What we know beforehand of each CLI that its owner installs. */
export const knownClis: Record<KnownCli, CliKnowledge> = {
  claude: {
    name: "Claude Code",
    tested: "2.1.330",
    minimum: "2.1.163",
    olderOnes: "older ones run hooks of a folder before the folder is trusted",
    install: {
      what: "install",
      advice: "Claude Code was not found. Install it, or set HEADWAY_CLAUDE_PATH to where it is.",
      command: "npm install -g @anthropic-ai/claude-code",
    },
    update: {
      what: "update",
      advice: "This Claude Code runs hooks of a folder before the folder is trusted. Update it.",
      command: "claude update",
    },
    signIn: {
      what: "sign_in",
      advice:
        "Sign in to Claude Code in a terminal, as the user that runs Headway, or start Headway with ANTHROPIC_API_KEY.",
      command: "claude auth login",
    },
    credentials: [".claude/.credentials.json"],
    // Clouds, helpers and gateways can sign it in, too.
    firstTrace: null,
    permissionWords: { read: "plan", edit: "acceptEdits", full: "bypassPermissions" },
    traps: [],
    remarks: [],
  },
  gemini: {
    name: "Gemini CLI",
    tested: "0.61.0",
    // GHSA-wpqr-6v78-jr5g.
    minimum: "0.39.1",
    olderOnes: "older ones trust any folder by themselves when nobody is there to ask",
    install: {
      what: "install",
      advice: "Gemini CLI was not found. Install it, or set HEADWAY_GEMINI_PATH to where it is.",
      command: "npm install -g @google/gemini-cli",
    },
    update: {
      what: "update",
      advice: "This Gemini CLI trusts any folder by itself when nobody is there to ask. Update it.",
      command: "npm install -g @google/gemini-cli@latest",
    },
    signIn: {
      what: "sign_in",
      advice:
        "Start Gemini CLI in a terminal, as the user that runs Headway, and choose how to sign in, or start Headway with GEMINI_API_KEY.",
      command: "gemini",
    },
    credentials: [".gemini/oauth_creds.json", ".gemini/gemini-credentials.json"],
    firstTrace: ".gemini",
    permissionWords: { read: "default", edit: "auto_edit", full: "yolo" },
    traps: [
      {
        note: "With GOOGLE_GEMINI_BASE_URL set it takes a key only where ~/.gemini/settings.json says so (security.auth.selectedType).",
        onlyWith: "GOOGLE_GEMINI_BASE_URL",
      },
    ],
    remarks: [],
  },
  droid: {
    name: "Droid",
    tested: "0.225.2",
    minimum: null,
    olderOnes: null,
    install: {
      what: "install",
      advice: "Droid was not found. Install it, or set HEADWAY_DROID_PATH to where it is.",
      command: "npm install -g @factory/cli",
    },
    update: { what: "update", advice: "This Droid is too old. Update it.", command: "droid update" },
    signIn: {
      what: "sign_in",
      advice:
        "Start Droid in a terminal, as the user that runs Headway, and sign in, or start Headway with FACTORY_API_KEY.",
      command: "droid",
    },
    // Existence is enough: they hold the sign-in encrypted, the first one with its key beside it.
    credentials: [".factory/auth.v2.file", ".factory/auth.v2.keyring", ".factory/auth.v2.loginkeychain"],
    firstTrace: ".factory",
    permissionWords: { read: "no --auto", edit: "--auto low", full: "--auto high" },
    traps: [
      {
        note: "It goes by how risky the model itself calls a command: its permission modes are no sandbox.",
        onlyWith: null,
      },
    ],
    remarks: [
      "With one process per turn each turn has a session of its own (--fork): resuming one (-s) needs Factory's servers.",
    ],
  },
};

/** Whether a CLI of this version may be used, and whether the tests know it. */
export function judgeVersion(version: string | null, { tested, minimum }: KnownVersions): VersionJudgement {
  if (version === null) return "unknown";
  if (minimum !== null && compareVersions(version, minimum) < 0) return "too_old";
  return tested !== null && compareVersions(version, tested) > 0 ? "newer_than_tested" : "ok";
}

/** Why a CLI that is too old isn't started, and what to do: one sentence for people, and the command. */
export function tooOldMessage(version: string, { name, minimum, olderOnes, update }: CliKnowledge): string {
  const why = olderOnes === null ? "" : `: ${olderOnes}`;
  return `${name} ${version} is older than ${minimum ?? "it may be"}, the oldest that Headway starts${why}. Update it: ${update.command}`;
}

/** By their three numbers; what a version says behind them doesn't count. */
function compareVersions(a: string, b: string): number {
  return Bun.semver.order(a.replace(/[-+].*$/, ""), b.replace(/[-+].*$/, ""));
}
