import type { Escape } from "../../domain/containment-report.ts";

/**
 * A hostile process, and how it is held and seen whatever it does to itself.
 *
 * Its standard input is the leash: nothing is ever written there, and its end is that of the process. It comes
 * when the self-test lets go of it or dies. Its standard output is the evidence: as long as anybody holds that
 * FIFO open for writing, the process lives, and no scrubbed environment, no new pid and no namespace hides that.
 */
const hold = `echo in place; read -r line`;

/** The Bun that runs us, for what a shell can't say: prctl(PR_SET_DUMPABLE, 0), after which /proc tells others nothing. */
const undumpable = `
import { dlopen } from "bun:ffi";
import { readSync, writeSync } from "node:fs";
const number = "u64";
const prctl = { args: ["i32", number, number, number, number], returns: "i32" };
const { symbols } = dlopen(process.argv[1], { prctl });
if (symbols.prctl(4, 0n, 0n, 0n, 0n) !== 0) process.exit(9);
writeSync(1, "in place");
readSync(0, new Uint8Array(1));
`;

/**
 * Dies and is born again under another pid every millisecond or two, so that whoever lists processes misses it.
 * It can't wait at the leash meanwhile: it ends with the leash's file, and in any case after so many lives.
 */
const hop = `[ "$2" -gt 0 ] && [ -e "$1" ] || exit; /bin/sh -c "$0" "$0" "$1" $(($2 - 1)) & exit`;
const livesMax = 5_000;

/** In dash, a command in the background has no input but what it is given. */
const tied = `<&5 >&6`;

/** What the root of each tree does; every escaper is in place when its evidence says so. */
const escapers: Record<Escape, string> = {
  same_group: `sh -c "$hold" ${tied} &`,
  new_session: `setsid sh -c "$hold" ${tied} &`,
  double_fork: `(setsid sh -c "$hold" ${tied} &)`,
  scrubbed_environment: `(setsid env -i /bin/sh -c "$hold" ${tied} &)`,
  undumpable: `(setsid "$bun" -e "$undumpable" "$libc" ${tied} &)`,
  fork_hopper: `(setsid sh -c "echo in place; $hop" "$hop" "$leash" ${livesMax} ${tied} &)`,
};

/** Opened for both first, since opening one end of a FIFO waits for somebody at the other. */
const prepare = `trap '' TERM INT HUP PIPE
exec 8<>"$leash"; exec 5<"$leash"; exec 8>&-
exec 8<>"$evidence"; exec 6>"$evidence"; exec 8>&-`;

/** The root itself doesn't hold the evidence: killing it would prove nothing. */
const stay = `exec 6>&-; read -r line <&5`;

/** The C library by the name that glibc and musl give it. */
const libc = process.platform === "linux" ? "libc.so.6" : "libc.dylib";

export interface HostileTree {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** A tree whose one escaper tries this way out, held by the leash and seen by the evidence: paths of FIFOs. */
export function hostileTree(escape: Escape, paths: { leash: string; evidence: string }): HostileTree {
  const script = [prepare, escapers[escape], stay].join("\n");
  const texts = { hold, hop, undumpable, bun: process.execPath, libc, ...paths };
  const assignments = Object.keys(texts).map((name, at) => `${name}=$${at + 1}`);
  return {
    file: "/bin/sh",
    args: ["-c", `${assignments.join(" ")}\n${script}`, "headway-self-test", ...Object.values(texts)],
    env: { BUN_BE_BUN: "1" },
  };
}
