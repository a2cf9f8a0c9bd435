import { closeSync, fstatSync, openSync, readSync, unlinkSync } from "node:fs";

/** A nameless file in which bwrap leaves what it knows: readable at any time, without waiting. */
export interface WrapperStatus {
  readonly descriptor: number;
  /** Host pid of the namespace's first process; null when it isn't reported yet. */
  firstPid(): number | null;
  /** Whether bwrap got as far as executing its command; known once bwrap has ended. */
  wasExecuted(): boolean;
  close(): void;
}

const bytesMax = 4_096;

/** @param path of a file that doesn't exist; it is gone again when this returns */
export function openWrapperStatus(path: string): WrapperStatus {
  const descriptor = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  let isOpen = true;

  function read(): string {
    if (!isOpen) return "";
    const buffer = Buffer.alloc(Math.min(fstatSync(descriptor).size, bytesMax));
    return buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  }

  return {
    descriptor,
    firstPid() {
      const pid = /"child-pid": (\d+)/.exec(read())?.[1];
      return pid === undefined ? null : Number(pid);
    },
    wasExecuted: () => read().includes('"exit-code"'),
    close() {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}
