import { statSync } from "node:fs";
import type { Containment } from "./containment.ts";

/**
 * Names everything on which a self-test's result depends: the boot, the rung, the user, our version, and the
 * containing programs. Those by their size and time, which every other version of them has otherwise, and which
 * cost no start of them.
 */
export function containmentFingerprint(
  { rung, tools }: Pick<Containment, "rung" | "tools">,
  machine: { bootId: string; userId: number | undefined; version: string },
): string {
  const programs = Object.values(tools).map((path) => path && identityOf(path));
  return JSON.stringify([machine.version, machine.bootId, machine.userId, rung, ...programs]);
}

function identityOf(path: string): [string, number, number] | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? [path, found.size, found.mtimeMs] : null;
}
