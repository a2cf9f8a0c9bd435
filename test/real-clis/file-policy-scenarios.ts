import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type CliServerOptions, startCliServer } from "./cli-server.ts";
import { isInstalled } from "./install.ts";
import type { CliTraits } from "./shared-scenarios.ts";

const ways = [
  ["warm", "4"],
  ["one process per turn", "0"],
] as const;

/** A folder that is nobody's own: those in /tmp are private to each tree. */
function foreignFolder(): { path: string } & Disposable {
  const path = mkdtempSync("/var/tmp/headway-foreign-");
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A real CLI that may write in its workspace only: it needs its own folders all the same. */
export function filePolicyScenarios({ cli: name, title }: CliTraits, options: CliServerOptions): void {
  setDefaultTimeout(180_000);
  describe.skipIf(!isInstalled(name))(`the real ${title} under the file policy workspace`, () => {
    test.each(ways)("writes in its workspace and nowhere else, and remembers (%s)", async (_way, warm) => {
      using foreign = foreignFolder();
      const agent = { ...options.agent, filePolicy: "workspace" };
      await using cli = await startCliServer(name, {
        ...options,
        agent,
        env: { HEADWAY_WARM_PROCESSES: warm },
      });
      const outside = join(foreign.path, "outside.txt");
      const command = `echo in > inside.txt; echo out > ${outside}; echo done`;

      const first = await cli.execute("my name is Ada");
      const tool = await cli.execute(`use tool \`${command}\``);
      const third = await cli.execute("recall");

      expect([first, tool, third].map(({ body }) => body.state)).toEqual([
        "succeeded",
        "succeeded",
        "succeeded",
      ]);
      expect(tool.body.content).toContain("Read-only file system");
      expect([existsSync(join(cli.server.workspace, "inside.txt")), existsSync(outside)]).toEqual([
        true,
        false,
      ]);
      expect(third.body.content).toContain("my name is Ada");
      expect(third.body.conversationId).toBe(first.body.conversationId);
    });
  });
}
