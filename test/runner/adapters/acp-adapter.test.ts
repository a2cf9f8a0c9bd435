import { expect, test } from "bun:test";
import { createAcpAdapter } from "../../../src/runner/adapters/acp-adapter.ts";
import type { UnfinishedExit } from "../../../src/runner/adapters/adapter.ts";
import { dialectOf, specOf } from "./acp-lines.ts";

const adapter = createAcpAdapter({
  name: "some-agent",
  title: "Some Agent",
  command: "some-agent",
  args: ["acp", "--quiet"],
  env: { SOME_AGENT_HOME: "/home/dev/.some" },
  passEnv: ["SOME_AGENT_KEY"],
});

test("a configured agent is started as its owner wrote it, whatever its agents are set to", () => {
  const spec = specOf({ resume: true, model: "m-1", permissionMode: "full" });

  const command = adapter.dialects.warm.command(spec);

  expect(command).toEqual({
    file: spec.executable,
    args: ["acp", "--quiet"],
    env: { SOME_AGENT_HOME: "/home/dev/.some" },
  });
  expect(adapter.program).toBe("some-agent");
  expect(adapter.signInVariables).toEqual(["SOME_AGENT_KEY"]);
});

test("a configured agent takes one turn or many in the same dialect, whose input stays open", () => {
  const { warm, oneTurn } = adapter.dialects;

  expect(oneTurn).toBe(warm);
  expect(warm).toMatchObject({ name: "ACP", promptEndsInput: false, goesOnWhenSignalled: false });
});

const silent: UnfinishedExit = { exitCode: 0, signal: null, stderrTail: "", printed: false };

test.each<[Partial<UnfinishedExit>, string, string]>([
  [{}, "exit_before_output", "The CLI ended with exit code 0 before it printed anything."],
  [{ printed: true }, "no_result", "The CLI ended with exit code 0 without giving a result."],
  [{ exitCode: 3, stderrTail: "\u001b[31mPanic!\u001b[0m\n" }, "exit_nonzero", "Panic!"],
  [
    { exitCode: null, signal: "SIGKILL", printed: true, stderrTail: "Starting up" },
    "signal",
    "The CLI was ended by SIGKILL without giving a result.",
  ],
  [
    { exitCode: 1, stderrTail: "Error: not logged in" },
    "auth_required",
    "Error: not logged in. Sign in to the agent in a terminal, as the user that runs Headway, then send it again.",
  ],
])("a process that ends like %j ends by %s", (exit, code, message) => {
  const explained: unknown = dialectOf().explainExit({ ...silent, ...exit });

  expect(explained).toEqual({ code, message });
});
