import type { CliNeed } from "./runner-api.ts";

export type KnownCli = "claude" | "gemini" | "droid";

export interface CliKnowledge {
  /** The version whose recordings the tests replay. */
  tested: string | null;
  minimum: string | null;
  install: CliNeed | null;
  update: CliNeed | null;
  signIn: CliNeed | null;
  /** Where it leaves its login, below the home folder. */
  credentials: readonly string[];
}

const unknownYet: CliKnowledge = {
  tested: null,
  minimum: null,
  install: null,
  update: null,
  signIn: null,
  credentials: [],
};

/** What we know beforehand of each CLI that its owner installs. */
export const knownClis: Record<KnownCli, CliKnowledge> = {
  claude: {
    tested: "2.1.330",
    /** Older ones run hooks of a repository before it is trusted. */
    minimum: "2.1.163",
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
  },
  gemini: unknownYet,
  droid: unknownYet,
};
