import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { waitFor } from "../helpers/wait.ts";
import {
  allowedOutcomes,
  canMount,
  executeWithSpaces,
  isReady,
  openSmallDiskStage,
  type SmallDiskStage,
} from "./small-disk.ts";

const pageBytes = 4_096;

describe.skipIf(!canMount)("a disk that is full", () => {
  let small: SmallDiskStage;

  beforeAll(async () => {
    small = await openSmallDiskStage();
  });
  afterEach(() => small.recover());
  afterAll(() => small[Symbol.asyncDispose]());

  test("at whichever page of whichever write it fills up, the server goes on", async () => {
    const spaces = Array.from({ length: 80 }, (_, at) => at * pageBytes);

    const outcomes = await executeWithSpaces(small, spaces);

    console.info(
      allowedOutcomes.map((outcome) => `${outcome}: ${outcomes.filter((one) => one === outcome).length}`),
    );
    expect(outcomes.filter((outcome) => !allowedOutcomes.includes(outcome))).toEqual([]);
    for (const outcome of allowedOutcomes) expect(outcomes).toContain(outcome);
  }, 300_000);

  test("it doesn't keep the server from stopping; the next one settles what was left", async () => {
    const { stage, fill, free } = small;
    const agent = await stage.agent();
    const { id } = await agent.begin("slow=20 tool=yes x | head -c 400000 | tr '\\n' ' '");
    await waitFor(async () => (await stage.events(id)).length > 70, { what: "an answer that needs room" });

    await fill(0);
    await waitFor(async () => !(await isReady(stage)), { what: "the store to fail" });
    const exitCode = await stage.server.stop();
    const left = stage.server.survivors();
    free();
    await stage.server.restart();
    const run = await stage.getRun(id);

    expect([exitCode, left]).toEqual([0, []]);
    expect(run).toMatchObject({
      state: "interrupted",
      error: { code: "server_restart" },
      contentFinal: false,
    });
    expect(run.content).toStartWith("I will run a command.");
  }, 60_000);
});
