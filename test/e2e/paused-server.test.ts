import { expect, test } from "bun:test";
import { waitFor } from "../helpers/wait.ts";
import { openStage } from "./stage.ts";

test.each([
  ["warm", "4"],
  ["one-turn", "0"],
])("V7, V8: a server that stood still blames no run for it (%s)", async (_mode, warmProcesses) => {
  await using stage = await openStage({
    HEADWAY_WARM_PROCESSES: warmProcesses,
    HEADWAY_STALL_TIMEOUT_MS: "1000",
    HEADWAY_FIRST_OUTPUT_MS: "10000",
  });
  const agent = await stage.agent();
  const run = await agent.begin("slow=120 one two three four five six seven eight nine ten");
  await stage.eventSeen(run.id, ({ type }) => type === "text");

  process.kill(stage.server.pid, "SIGSTOP");
  // Longer than the server would wait for a sign of life.
  await waitFor(() => stage.fakeLog().some(({ event }) => event === "end"), { what: "the CLI to be done" });
  process.kill(stage.server.pid, "SIGCONT");
  const settled = await stage.settled(run.id);

  expect(settled).toMatchObject({ state: "succeeded", error: null, contentFinal: true });
  await stage.tidy();
});
