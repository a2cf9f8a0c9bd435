import { tmpdir } from "node:os";
import type { Ground } from "./app.ts";
import type { ContainmentTestStore } from "./domain/containment-report.ts";
import { type ContainmentDesk, createContainmentDesk, type MemoryGuard } from "./runner/containment-desk.ts";
import { containmentFingerprint } from "./runner/process/containment-fingerprint.ts";
import type { Containment } from "./runner/process/containment.ts";
import { startSelfTest } from "./runner/process/self-test-process.ts";
import { readBootId } from "./runner/process/tree.ts";

/** Puts the desk of the containment together with the machine on which it is tested. */
export function composeContainment(
  { config, dataDir, environment, clock, facts }: Ground,
  containment: Containment,
  memory: MemoryGuard,
  store: ContainmentTestStore,
  version: string,
): ContainmentDesk {
  const machine = { bootId: readBootId(), userId: process.getuid?.(), version };
  return createContainmentDesk({
    containment,
    memory,
    sandboxOff: config.sandbox === "off",
    fingerprint: containmentFingerprint(containment, machine),
    store,
    clock,
    publish: facts.publish,
    startSelfTest: () =>
      startSelfTest({
        containment,
        hiddenPaths: [dataDir],
        scratchFolder: tmpdir(),
        path: environment.PATH ?? "",
        clock,
      }),
  });
}
