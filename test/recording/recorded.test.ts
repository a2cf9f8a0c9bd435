import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { listRecordings, recordingsFolder, replay } from "../runner/adapters/recordings.ts";
import { keptVersionsOf } from "./dialect-file.ts";
import { knownAdapters } from "./known-adapters.ts";
import { scenarios } from "./scenarios.ts";

/* The goldens that `npm run record` makes; those made by hand are listed and replayed beside each adapter's tests. */

const names = scenarios.map(({ name }) => name);

describe.each([...knownAdapters])("%s", (cli, adapter) => {
  const versions = keptVersionsOf(cli);
  const recorded = versions.flatMap((version) =>
    listRecordings(recordingsFolder(cli, version))
      .filter((name) => names.includes(name))
      .map((name) => [version, name] as const),
  );

  test("was recorded in every scenario, in its newest version", () => {
    const newest = recorded.filter(([version]) => version === versions.at(-1)).map(([, name]) => name);

    expect(newest.toSorted()).toEqual(names.toSorted());
  });

  test.each(recorded)("of %s the recording %s means what its expected.json says", async (version, name) => {
    const folder = join(recordingsFolder(cli, version), name);
    const expected: unknown = await Bun.file(join(folder, "expected.json")).json();

    expect(replay(adapter, folder) as unknown).toEqual(expected);
  });
});
