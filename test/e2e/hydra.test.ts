import { expect, setDefaultTimeout, test } from "bun:test";
import { containmentOf } from "../runner/process/harness.ts";
import { hydraEndings, nobody, openHydraStage, seenBySelfTest } from "./hydra-rounds.ts";

setDefaultTimeout(60_000);

// Each also in twenty repetitions, in hydra.long.ts.
for (const rung of ["bwrap", "unshare"] as const) {
  const containment = await containmentOf(rung);

  test.skipIf(containment === null)(`${rung}: nothing outlives a run, however that ends`, async () => {
    await using hydras = await openHydraStage(rung);

    const report = await hydras.tested();
    for (const ending of hydraEndings)
      expect([ending, await hydras.endRun(ending)]).toEqual([ending, nobody]);

    expect(report).toMatchObject({ status: "full", rung, cached: false, filePolicy: rung === "bwrap" });
    expect(seenBySelfTest(report, "killed")).toEqual(nobody);
    expect(seenBySelfTest(report, "server_died")).toEqual(nobody);
  });
}

test("process-group: what outlives a run and its server is what the self-test says", async () => {
  await using hydras = await openHydraStage("process-group");

  const report = await hydras.tested();
  const cancelled = await hydras.endRun("cancel");
  const killed = await hydras.endRun("server kill");

  expect(report).toMatchObject({ status: "degraded", sandboxOff: true, filePolicy: false });
  expect(cancelled).toMatchObject({ same_group: 0, new_session: 0, double_fork: 0, scrubbed_environment: 1 });
  expect(cancelled).toEqual(seenBySelfTest(report, "killed"));
  expect(killed).toEqual(seenBySelfTest(report, "server_died"));
});

test("what a self-test saw is kept for the next start on the same boot", async () => {
  await using hydras = await openHydraStage("bwrap");

  const first = await hydras.tested();
  await hydras.stage.server.stop();
  await hydras.stage.server.restart();
  const second = await hydras.tested();

  expect([first.cached, second.cached]).toEqual([false, true]);
  expect(second).toEqual({ ...first, cached: true });
  const told = hydras.stage.server.logLines().filter(({ msg }) => msg === "containment.tested");
  expect(told.map(({ cached, survivors }) => [cached, survivors])).toEqual([
    [false, 0],
    [true, 0],
  ]);
});
