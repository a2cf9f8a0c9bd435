import { expect, test } from "bun:test";
import { join } from "node:path";
import { startServer } from "../helpers/server-process.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { projectDir } from "../helpers/source-tree.ts";
import { waitFor } from "../helpers/wait.ts";

const warning = "HEADWAY_TOKEN is short enough to be guessed";

test("a token that can be guessed is warned about, without being shown", async () => {
  await using server = await startServer({ env: { HEADWAY_TOKEN: "qwertz" } });

  const warnings = server.logLines().filter(({ msg }) => msg === warning);

  expect(warnings).toHaveLength(1);
  expect(JSON.stringify(server.logLines())).not.toContain("qwertz");
});

test("a token of the usual length is not", async () => {
  await using server = await startServer();

  expect(server.logLines().filter(({ msg }) => msg === warning)).toEqual([]);
});

test("a server whose log nobody reads any more goes on serving", async () => {
  using folder = makeTempFolder();
  const child = Bun.spawn([process.execPath, "--no-env-file", "src/server.ts"], {
    cwd: projectDir,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder.path,
      HEADWAY_PORT: "0",
      HEADWAY_DATA_DIR: join(folder.path, "data"),
      HEADWAY_LOG_LEVEL: "debug",
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const reader = child.stdout.getReader();
  let log = "";
  while (!log.includes('"listening"')) log += new TextDecoder().decode((await reader.read()).value);
  const url = /"url":"([^"]+)"/.exec(log)?.[1] ?? "";

  await reader.cancel();
  // Each request is a line of the log, at this level.
  const statuses: number[] = [];
  await waitFor(async () => statuses.push((await fetch(`${url}/healthz`)).status) === 20, {
    what: "twenty answers",
  });
  child.kill("SIGTERM");

  expect(await child.exited).toBe(0);
  expect(new Set(statuses)).toEqual(new Set([200]));
});
