import { expect, test } from "bun:test";
import { listAcpAgents } from "../../src/runner/acp-reports.ts";

const anAgent = (name: string) => ({
  name,
  title: name.toUpperCase(),
  command: name,
  args: [],
  env: {},
  passEnv: [],
});

test("what an ACP agent told that Headway doesn't know is a note on each of them, since it may be any", () => {
  const reports = listAcpAgents({
    acpAgents: [anAgent("one"), anAgent("two")],
    keepsWarm: true,
    findExecutable: (name) => ({ path: `/opt/${name}`, realPath: `/opt/${name}` }),
    permissionModesOf: () => ["read"],
    listDrift: () => [{ cliVersion: null, unknown: [{ type: "session/update mood", count: 3 }] }],
  });

  const drift = "An ACP agent told things that Headway does not know, 3 times: session/update mood.";
  expect(reports.map(({ acpAgent, notes }) => [acpAgent, notes])).toEqual([
    ["one", [expect.stringContaining("ONE speaks ACP"), drift]],
    ["two", [expect.stringContaining("TWO speaks ACP"), drift]],
  ]);
});
