import { join } from "node:path";
import { claudeAdapter } from "../../../src/runner/adapters/claude.ts";
import { listRecordings, recordingsFolder, replay } from "./recordings.ts";

/** Writes every expected.json anew, to be read before it is committed. */
const folder = recordingsFolder("claude", "2.1.330");
for (const name of listRecordings(folder)) {
  const expected = replay(claudeAdapter, join(folder, name));
  await Bun.write(join(folder, name, "expected.json"), `${JSON.stringify(expected, null, 2)}\n`);
}
