import { expect, test } from "bun:test";
import { systemClock } from "../../src/domain/clock.ts";
import type { RunLog } from "../../src/domain/ports.ts";
import { type AdmissionOptions, admit } from "../../src/runner/admission.ts";
import { type CancellationOptions, createCancellation } from "../../src/runner/cancellation.ts";

/** A store whose conversations are deleted in the very transaction that was asked for something else. */
function vanishing(log: Partial<RunLog>): RunLog {
  return { getRun: () => null, ...log } as RunLog;
}

test.each(["finished", "cancelled"] as const)(
  "a cancel of a run that was %s, and is deleted with its conversation, finds no run",
  async (answer) => {
    const log = vanishing({ requestCancel: async () => answer });
    const cancel = createCancellation({
      log,
      clock: systemClock,
      publish() {},
    } as unknown as CancellationOptions);

    const reply = await cancel("run_1");

    expect(reply).toMatchObject({ kind: "refused", code: "run_not_found" });
  },
);

test("a repeated request whose run is deleted with its conversation is refused", async () => {
  const log = vanishing({ admit: async () => ({ kind: "replay", runId: "run_1" }) });
  const options = {
    log,
    agents: {
      findAgent: () => ({ id: "ada", commMode: "headless" }),
      activityOf: () => ({ quarantined: false }),
    },
    redactor: { prompt: (text: string) => ({ text, holes: [] }) },
    clock: systemClock,
    makeId: (prefix: string) => `${prefix}_1`,
    newSessionId: () => "session",
    hash: (text: string) => text,
    isDraining: () => false,
    publish() {},
  } as unknown as AdmissionOptions;
  const asked = { agentId: "ada", prompt: "Hi", idempotencyKey: "k" };

  const outcome = await admit(options, asked);

  expect(outcome).toMatchObject({ kind: "refused", code: "conversation_not_found" });
});
