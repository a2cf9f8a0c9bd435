import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { settings } from "../../src/config.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { type Fence, fencesOf, readDocument } from "./documents.ts";

const readme = readDocument("README.md");
const fences = fencesOf(readme);
const examples = fences.filter((fence) => fence.mark === "tested");
const defaultUrl = `http://${settings.host.schema.parse(undefined)}:${settings.port.schema.parse(undefined)}`;
const scriptMsMax = 60_000;

describe("the README", () => {
  test("uses the address that a server has without any configuration", () => {
    expect(examples[0]?.text).toContain(`HEADWAY_URL=${defaultUrl}\n`);
  });

  test("promises an output for each example", () => {
    const followers = examples.map((example) => fences[fences.indexOf(example) + 1]?.mark);

    expect(examples.length).toBeGreaterThan(6);
    expect(followers).toEqual(examples.map(() => "prints"));
  });

  test("has examples that print what it promises, in a fresh installation", async () => {
    using folder = makeTempFolder();
    // The README's reader stands in the installation, so `data/` is below.
    await using server = await startServer({
      dataDir: join(folder.path, "data"),
      env: { HEADWAY_WORKSPACES: "" },
    });

    const outputs = await runInOneShell(examples, server, folder.path);

    const wrong = examples.flatMap((example, at) => {
      const promised = fences[fences.indexOf(example) + 1]!.text;
      return matches(outputs[at] ?? "", promised) ? [] : [{ example: example.text, printed: outputs[at] }];
    });
    expect(wrong).toEqual([]);
  }, 90_000);
});

/** One shell runs all, as a reader's would: later examples use what earlier ones have set. */
async function runInOneShell(blocks: readonly Fence[], server: TestServer, cwd: string): Promise<string[]> {
  const boundary = crypto.randomUUID();
  const script = blocks.map(({ text }) => `${text}\nprintf '%s' ${boundary}\n`).join("");
  const shell = Bun.spawn(["bash", "-euo", "pipefail", "-c", script.replaceAll(defaultUrl, server.url)], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: server.home },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: scriptMsMax,
  });
  const [stdout, stderr] = await Promise.all([
    new Response(shell.stdout).text(),
    new Response(shell.stderr).text(),
  ]);
  expect({ exitCode: await shell.exited, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout.split(boundary);
}

/** `…` in a promise stands for anything. */
function matches(printed: string, promised: string): boolean {
  const pieces = promised.split("…").map((piece) => RegExp.escape(piece.trim()));
  return new RegExp(`^${pieces.join("[^]*?")}$`).test(printed.trim());
}
