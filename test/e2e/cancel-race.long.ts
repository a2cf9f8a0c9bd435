import { expect, test } from "bun:test";
import { raceCancelWithCompletion } from "./cancel-race.ts";
import { openStage } from "./stage.ts";

test.each([
  ["warm", "4"],
  ["one-turn", "0"],
])(
  "200 cancels that race the completion leave one end each, told truly (%s)",
  async (_mode, warmProcesses) => {
    await using stage = await openStage({ HEADWAY_WARM_PROCESSES: warmProcesses });

    const told = await raceCancelWithCompletion(stage, 200);

    console.info(`cancelled ${told.cancelled}, succeeded ${told.succeeded}`);
    expect(told.untrue).toEqual([]);
    expect(told.cancelled).toBeGreaterThanOrEqual(40);
    expect(told.succeeded).toBeGreaterThanOrEqual(40);
    await stage.tidy();
  },
  300_000,
);
