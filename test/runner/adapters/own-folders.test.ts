import { expect, test } from "bun:test";
import { createAdapters } from "../../../src/runner/adapters/registry.ts";

const goose = {
  name: "goose",
  title: "Goose",
  command: "/opt/bin/goose",
  args: [],
  env: {},
  passEnv: [],
  writableFolders: ["/srv/goose"],
};
const adapters = createAdapters([goose]);
const home = { HOME: "/home/ada" };

function ownFolders(cli: "claude" | "gemini" | "droid" | "demo" | "acp", environment = {}) {
  const adapter = adapters.find({ cli, acpAgent: cli === "acp" ? "goose" : null });
  return adapter?.ownFolders({ ...home, ...environment });
}

test("each CLI names the folders in which it keeps its own things", () => {
  expect(ownFolders("claude")).toEqual(["/home/ada/.claude", "/home/ada/.cache/claude-cli-nodejs"]);
  expect(ownFolders("gemini")).toEqual(["/home/ada/.gemini"]);
  expect(ownFolders("droid")).toEqual(["/home/ada/.factory"]);
  expect(ownFolders("demo")).toEqual([]);
});

test("Claude Code's are where its variables say", () => {
  const moved = { CLAUDE_CONFIG_DIR: "/srv/claude", XDG_CACHE_HOME: "/srv/cache" };

  expect(ownFolders("claude", moved)).toEqual(["/srv/claude", "/srv/cache/claude-cli-nodejs"]);
});

test("an ACP agent's bear its program's name, beside those that its owner names", () => {
  expect(ownFolders("acp", { XDG_STATE_HOME: "/srv/state" })).toEqual([
    "/home/ada/.config/goose",
    "/home/ada/.local/share/goose",
    "/srv/state/goose",
    "/home/ada/.cache/goose",
    "/srv/goose",
  ]);
});
