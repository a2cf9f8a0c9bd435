import { describe, expect, test } from "bun:test";
import type { ClaimedRun } from "../../../src/domain/ports.ts";
import { demoAdapter } from "../../../src/runner/adapters/demo.ts";
import type { SpawnOutcome } from "../../../src/runner/process/cli-process.ts";
import type { StartPermit } from "../../../src/runner/start-gate.ts";
import type { SessionPlan } from "../../../src/runner/transports/session-plan.ts";
import {
  startProcess,
  type StartProcessOptions,
  type StartWait,
} from "../../../src/runner/transports/start-process.ts";
import { errorOf, settings } from "../../store/fixture.ts";

/** Starts a CLI that can't be executed, unless `over` or the gate keeps it from coming to that. */
function start(over: Partial<StartProcessOptions>, permit: StartPermit = entered) {
  const options = {
    gate: { enter: async () => permit },
    supervisor: { spawn: async (): Promise<SpawnOutcome> => notExecutable },
    limits: { memoryLimitMb: 1 },
    makeId: () => "proc_1",
    checkFolder: async (realPath: string) => ({ kind: "ok", realPath }),
    findHomeTrouble: async () => null,
    configuredPath: () => null,
    findExecutable: () => "/bin/true",
    checkVersion: async () => ({ kind: "ok", cliVersion: null }),
    environmentFor: () => ({}),
    ...over,
  } as unknown as StartProcessOptions;
  const run = { agent: settings({ cli: "demo" }) } as unknown as ClaimedRun;
  const plan = { cliSessionId: "session", resume: false, preface: "" } as SessionPlan;
  return startProcess(options, demoAdapter, run, plan, true, {} as StartWait);
}

const entered: StartPermit = { kind: "entered", cameUp: () => undefined };
const notExecutable = { kind: "failed", code: "spawn_error", message: "It isn't executable." } as const;

function refusing(code: string) {
  return async () => {
    throw Object.assign(new Error(code), { code });
  };
}

describe("a start that fails", () => {
  test.each<[string, Partial<StartProcessOptions>, StartPermit?]>([
    ["without memory", {}, { kind: "no_memory", message: "no memory" }],
    ["when it isn't wanted any more", {}, { kind: "stopped" }],
    ["without a home folder", { findHomeTrouble: async () => "HOME is not set" }],
    ["without a descriptor", { findHomeTrouble: refusing("EMFILE") }],
    ["without a descriptor on the whole machine", { checkFolder: refusing("ENFILE") }],
  ])("%s was refused by the machine or by us", async (_how, over, permit) => {
    expect(await start(over, permit)).toMatchObject({ kind: "failed", code: "spawn_error", isOurs: true });
  });

  test("because the CLI can't be executed is the CLI's", async () => {
    const outcome = await start({});

    expect(outcome).toEqual(notExecutable);
  });

  test("by a bug throws", async () => {
    const thrown = await errorOf(start({ findHomeTrouble: refusing("ERR_INTERNAL_ASSERTION") }));

    expect(thrown).toMatchObject({ code: "ERR_INTERNAL_ASSERTION" });
  });
});
