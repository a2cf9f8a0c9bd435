import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Adapter } from "../../src/runner/adapters/adapter.ts";
import { type FakeModelApi, startFakeModelApi } from "../helpers/fake-model-api.ts";
import { tellDrift } from "../recording/compare.ts";
import { record } from "../recording/record.ts";
import { findRig } from "../recording/rigs.ts";
import { type Scenario, scenarios } from "../recording/scenarios.ts";
import { isInstalled, type RealCli, realCliVersion } from "./install.ts";

const recordMsMax = 120_000;

/** The installed CLIs speak as they were recorded. `npm run record -- <cli> --check` does the same for all scenarios. */
export function speakAsRecorded(clis: readonly RealCli[]): void {
  describe.each(clis.filter(isInstalled))("%s", (cli) => {
    let api: FakeModelApi;
    beforeAll(() => {
      api = startFakeModelApi();
    });
    afterAll(() => api.stop());

    test(
      "says in the quick scenarios nothing that Headway would take otherwise than it was recorded",
      async () => {
        const rig = findRig(cli, api.url)!;

        const report = await record(rig, quickScenarios(rig.adapter), api.url);

        expect(report.version).toBe(realCliVersion(cli));
        expect(tellDrift(report.drift.filter(({ matters }) => matters))).toBe("");
        expect(report.recordings.size).toBeGreaterThan(1);
      },
      recordMsMax,
    );
  });
}

/** Where both forms are one dialect, the warm one says it all. */
function quickScenarios({ dialects }: Adapter): Scenario[] {
  const isOne = dialects.warm === dialects.oneTurn;
  return scenarios.filter(({ quick, form }) => quick && (form === "warm" || !isOne));
}
