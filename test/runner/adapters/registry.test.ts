import { describe, expect, test } from "bun:test";
import { carriedClis } from "../../../src/domain/agent.ts";
import { createAdapters, findAdapter } from "../../../src/runner/adapters/registry.ts";

const configured = { name: "goose", title: "Goose", command: "goose", args: ["acp"], env: {}, passEnv: [] };

describe("the adapters of a server", () => {
  const adapters = createAdapters([configured]);

  test("are one of every CLI that Headway carries", () => {
    const found = carriedClis.map(
      (cli) => adapters.find({ cli, acpAgent: cli === "acp" ? "goose" : null })?.cli,
    );

    expect(found).toEqual([...carriedClis]);
  });

  test("are, for the CLIs of a name of their own, those that are found without an agent", () => {
    const named = carriedClis.filter((cli) => cli !== "acp");

    expect(named.map((cli) => findAdapter(cli))).toEqual(
      named.map((cli) => adapters.find({ cli, acpAgent: null })),
    );
    expect(findAdapter("acp")).toBeNull();
  });

  test("are one of each configured ACP agent, which is started by its own command", () => {
    const adapter = adapters.find({ cli: "acp", acpAgent: "goose" });

    expect([adapter?.program, adapter?.dialects.warm.command(session).args]).toEqual(["goose", ["acp"]]);
  });

  test("are none of an ACP agent that isn't configured (any more)", () => {
    const names = ["nobody", "", null, "constructor"];

    expect(names.map((acpAgent) => adapters.find({ cli: "acp", acpAgent }))).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});

const session = {
  executable: "/opt/goose",
  sessionId: "5b0f8f0e-7a45-4b7e-9d0c-3f1d2c4b5a69",
  resume: false,
  cwd: "/home/dev",
  model: null,
  permissionMode: "edit",
  mcpConfigPath: null,
} as const;
