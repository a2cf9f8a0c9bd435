import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  dialectFileOf,
  dialectPathOf,
  encodeDialectFile,
  readRecordings,
} from "../../recording/dialect-file.ts";
import { knownAdapters } from "../../recording/known-adapters.ts";
import { recordingsFolder, replay } from "./recordings.ts";

/** Writes every expected.json and dialect.json of the CLIs named, or of all; to be read before it is committed. */
for (const [cli, adapter] of knownAdapters) {
  if (Bun.argv.length > 2 && !Bun.argv.includes(cli)) continue;
  for (const version of readdirSync(recordingsFolder(cli, "."))) {
    const folder = recordingsFolder(cli, version);
    const recordings = readRecordings(folder);
    for (const name of recordings.keys()) {
      const expected = replay(adapter, join(folder, name));
      await Bun.write(join(folder, name, "expected.json"), `${JSON.stringify(expected, null, 2)}\n`);
    }
    await Bun.write(dialectPathOf(folder), encodeDialectFile(dialectFileOf(adapter, recordings)));
  }
}
