import { closeSync, constants, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { endings, escapes, type Ending, type Escape } from "../../domain/containment-report.ts";

/** What a FIFO tells of the process that was given its other end. */
export interface Evidence {
  readonly escape: Escape;
  readonly path: string;
  /** Whether it ever said that it is in place, and whether anybody of its tree's escapers still lives. */
  look(): "unseen" | "alive" | "ended";
}

/** The FIFOs of a self-test: the leash that holds every hostile process, and the evidence of each. */
export interface HostileGround {
  readonly leash: string;
  readonly evidence: Readonly<Record<Ending, readonly Evidence[]>>;
  /** Lets go of the leash: whatever still lives ends by itself. */
  release(): void;
  close(): void;
}

const wordBytesMax = 4_096;

/**
 * @param folder an empty one, which its owner takes away
 * @param path the search path on which `mkfifo` is; it throws where there is none
 */
export async function layHostileGround(folder: string, path: string): Promise<HostileGround> {
  const nameOf = (ending: Ending, escape: Escape) => join(folder, `${ending}-${escape}`);
  const leash = join(folder, "leash");
  await makeFifos([leash, ...endings.flatMap((ending) => escapes.map((each) => nameOf(ending, each)))], path);
  // For both, since opening a FIFO for writing alone waits for a reader.
  let leashEnd: number | null = openSync(leash, constants.O_RDWR | constants.O_NONBLOCK);
  const open: number[] = [];
  const evidenceOf = (ending: Ending) =>
    escapes.map((escape) => openEvidence(escape, nameOf(ending, escape), open));
  return {
    leash,
    evidence: { killed: evidenceOf("killed"), server_died: evidenceOf("server_died") },
    release() {
      // A fork hopper can't wait at the leash: it looks whether the file is still there.
      rmSync(leash, { force: true });
      if (leashEnd !== null) closeSync(leashEnd);
      leashEnd = null;
    },
    close: () => open.forEach((descriptor) => closeSync(descriptor)),
  };
}

async function makeFifos(paths: readonly string[], path: string): Promise<void> {
  const program = Bun.which("mkfifo", { PATH: path });
  if (program === null) throw new Error("mkfifo isn't installed, which the self-test needs");
  const made = Bun.spawn([program, "-m", "600", ...paths], { stdio: ["ignore", "ignore", "pipe"], env: {} });
  if ((await made.exited) !== 0) throw new Error(`mkfifo: ${await new Response(made.stderr).text()}`);
}

/** The reading end: the kernel says "nothing yet" while a writer lives, and "the end" when none does. */
function openEvidence(escape: Escape, path: string, open: number[]): Evidence {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  open.push(descriptor);
  const word = Buffer.alloc(wordBytesMax);
  let wasSeen = false;
  return {
    escape,
    path,
    look() {
      const bytes = readNow(descriptor, word);
      if (bytes !== null && bytes > 0) wasSeen = true;
      if (!wasSeen) return "unseen";
      return bytes === 0 ? "ended" : "alive";
    },
  };
}

/** Null where a writer lives and has said nothing. */
function readNow(descriptor: number, into: Buffer): number | null {
  try {
    return readSync(descriptor, into, 0, into.length, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return null;
    throw error;
  }
}
