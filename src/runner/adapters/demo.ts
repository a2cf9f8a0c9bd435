import { fileURLToPath } from "node:url";
import type { Adapter, Dialect } from "./adapter.ts";
import { asOneTurn, claudeAdapter, claudeDialect, claudeDialectArguments } from "./claude.ts";

const demoProgram = fileURLToPath(new URL("demo-cli/main.ts", import.meta.url));

/** Bun would run what a workspace's bunfig.toml preloads, and read its .env. */
const withoutTheFoldersSettings = ["--no-env-file", "--config=/dev/null"];

const demoDialect: Dialect = {
  ...claudeDialect,
  command: (spec) => ({
    file: spec.executable,
    args: [
      ...withoutTheFoldersSettings,
      demoProgram,
      ...claudeDialectArguments({ ...spec, model: null, mcpConfigPath: null }),
    ],
    env: {},
  }),
};

/**
 * The built-in demo agent, which speaks Claude's dialect. `spec.executable` is the Bun that runs the server:
 * the composition root passes its own, since nothing else is sure to be there.
 */
export const demoAdapter: Adapter = {
  ...claudeAdapter,
  cli: "demo",
  program: "demo",
  signInVariables: [],
  ownFolders: () => [],
  permissionModes: () => ["read", "edit", "full"],
  dialects: { warm: demoDialect, oneTurn: asOneTurn(demoDialect) },
};
