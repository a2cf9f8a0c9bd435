import { describe, expect, test } from "bun:test";
import { containmentOf } from "../runner/process/harness.ts";
import { hydraEndings, nobody, openHydraStage, type Survivors } from "./hydra-rounds.ts";

const repetitions = 20;

const modes = [
  ["warm", { HEADWAY_WARM_PROCESSES: "8" }],
  ["one-turn", { HEADWAY_WARM_PROCESSES: "0" }],
] as const;

for (const rung of ["bwrap", "unshare"] as const) {
  const containment = await containmentOf(rung);

  describe.skipIf(containment === null)(`six hostile trees on the rung ${rung}`, () => {
    test.each(modes)(
      `leave no survivor, ${repetitions} times, however the run ends (%s)`,
      async (mode, env) => {
        await using hydras = await openHydraStage(rung, env);
        const survivors: [string, Survivors][] = [];

        for (const ending of hydraEndings) {
          for (let round = 0; round < repetitions; round += 1) {
            survivors.push([`${mode}, ${ending}, ${round}`, await hydras.endRun(ending)]);
          }
        }

        expect(survivors).toHaveLength(repetitions * hydraEndings.length);
        expect(survivors.filter(([, seen]) => !Bun.deepEquals(seen, nobody))).toEqual([]);
      },
      900_000,
    );
  });
}
