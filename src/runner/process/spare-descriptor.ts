import { closeSync, openSync } from "node:fs";

/**
 * Descriptors that are held for when the process may open no more: a server that can't read /proc can neither see
 * nor end what it has started. Two, since something else may be quicker to take one that is free.
 */
const spares: number[] = [];
const sparesMax = 2;

/** Calls what opens one file and closes it again in the same tick, also when there is no descriptor left. */
export function withDescriptor<T>(read: () => T): T {
  refill();
  return tryWithSpares(read);
}

function tryWithSpares<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const spare = isOutOfDescriptors(error) ? spares.pop() : undefined;
    if (spare === undefined) throw error;
    closeSync(spare);
  }
  return tryWithSpares(read);
}

function refill(): void {
  while (spares.length < sparesMax) {
    try {
      spares.push(openSync("/dev/null", "r"));
    } catch (error) {
      if (isOutOfDescriptors(error)) return;
      throw error;
    }
  }
}

function isOutOfDescriptors(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes((error as NodeJS.ErrnoException).code ?? "");
}
