import type { RealCli } from "./install.ts";

/** What a real CLI needs to talk to a model API of ours, with a made-up key and nothing of the machine's. */
export interface CliSetup {
  /** Of the server: what it hands on, and where the CLI is. */
  env: Record<string, string>;
  /** Files below the home folder: the CLI's own settings. */
  homeFiles: Record<string, string>;
  /** Files of the server's data directory. */
  dataFiles: Record<string, string>;
  /** How an agent of this CLI is made. */
  agent: Record<string, unknown>;
}

export function setupOf(cli: RealCli, apiUrl: string, executable: string): CliSetup {
  return setups[cli](apiUrl, executable);
}

const setups: Record<RealCli, (apiUrl: string, executable: string) => CliSetup> = {
  claude: claudeSetup,
  gemini: geminiSetup,
  droid: droidSetup,
  opencode: opencodeSetup,
};

function claudeSetup(apiUrl: string, executable: string): CliSetup {
  const quiet = ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING"];
  return {
    env: {
      HEADWAY_CLAUDE_PATH: executable,
      ANTHROPIC_BASE_URL: apiUrl,
      ANTHROPIC_API_KEY: "made-up-key",
      ...Object.fromEntries(quiet.map((name) => [name, "1"])),
      HEADWAY_PASS_ENV: quiet.join(","),
    },
    homeFiles: {},
    dataFiles: {},
    agent: { cli: "claude" },
  };
}

/** Where a base URL is set, Gemini wants its kind of sign-in named in its settings, or it takes it for a gateway. */
function geminiSetup(apiUrl: string, executable: string): CliSetup {
  const settings = {
    security: { auth: { selectedType: "gemini-api-key" } },
    privacy: { usageStatisticsEnabled: false },
    general: { enableAutoUpdate: false },
  };
  return {
    env: { HEADWAY_GEMINI_PATH: executable, GOOGLE_GEMINI_BASE_URL: apiUrl, GEMINI_API_KEY: "made-up-key" },
    homeFiles: { ".gemini/settings.json": JSON.stringify(settings) },
    dataFiles: {},
    // Without a model its "auto" asks another one first which to take.
    agent: { cli: "gemini", model: "gemini-2.5-pro" },
  };
}

function droidSetup(apiUrl: string, executable: string): CliSetup {
  const model = {
    model: "fake-model",
    id: "custom:fake-anthropic-0",
    index: 0,
    displayName: "Fake",
    baseUrl: apiUrl,
    apiKey: "made-up-model-key",
    provider: "anthropic",
    maxOutputTokens: 8192,
  };
  return {
    env: { HEADWAY_DROID_PATH: executable, FACTORY_API_KEY: "made-up-key" },
    // Without a network its exit would wait five seconds for the cloud that keeps sessions.
    homeFiles: {
      ".factory/settings.json": JSON.stringify({ customModels: [model], cloudSessionSync: false }),
    },
    dataFiles: {},
    agent: { cli: "droid", model: "custom:fake-anthropic-0" },
  };
}

function opencodeSetup(apiUrl: string, executable: string): CliSetup {
  const config = {
    enabled_providers: ["fake"],
    autoupdate: false,
    share: "disabled",
    provider: {
      fake: {
        npm: "@ai-sdk/openai-compatible",
        name: "Fake",
        options: { baseURL: `${apiUrl}/v1`, apiKey: "made-up-key" },
        models: { "fake-model": { name: "Fake Model" } },
      },
    },
    model: "fake/fake-model",
  };
  const agents = { opencode: { command: executable, args: ["acp"], title: "OpenCode" } };
  return {
    env: {},
    homeFiles: { ".config/opencode/opencode.json": JSON.stringify(config) },
    dataFiles: { "acp-agents.json": JSON.stringify(agents) },
    agent: { cli: "acp", acpAgent: "opencode" },
  };
}
