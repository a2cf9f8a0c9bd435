import { createAcpAdapter } from "../../src/runner/adapters/acp-adapter.ts";
import type { Adapter } from "../../src/runner/adapters/adapter.ts";
import { claudeAdapter } from "../../src/runner/adapters/claude.ts";
import { droidAdapter } from "../../src/runner/adapters/droid.ts";
import { geminiAdapter } from "../../src/runner/adapters/gemini.ts";

/** The one that is recorded of the agents that speak ACP; it is configured as its owner would. */
const opencode = {
  name: "opencode",
  title: "OpenCode",
  command: "opencode",
  args: ["acp"],
  env: {},
  passEnv: [],
};

/** The adapter of each CLI that has recordings, by the name of their folder. */
export const knownAdapters: ReadonlyMap<string, Adapter> = new Map([
  ["claude", claudeAdapter],
  ["droid", droidAdapter],
  ["gemini", geminiAdapter],
  ["opencode", createAcpAdapter(opencode)],
]);
