import { readFileSync } from "node:fs";
import { descendantsOf, type LiveProcess } from "./survivors.ts";

/** In MB of 2^20 bytes, of the browsers that this process has started. */
export interface ChromiumMemory {
  /** What the process holds that shows the largest page. */
  rendererMb: number;
  /** What all processes of the browser hold together, shared pages counted once. */
  wholeMb: number;
}

export function chromiumMemory(): ChromiumMemory {
  const ours = descendantsOf(process.pid).filter(({ argv }) => argv[0]?.includes("chromium") === true);
  // A renderer has overwritten its arguments with one text.
  const renderers = ours.filter(({ argv }) => argv.join(" ").includes("--type=renderer"));
  return {
    rendererMb: Math.max(0, ...renderers.map((renderer) => readMb(renderer, "status", "VmRSS"))),
    wholeMb: ours.reduce((sum, part) => sum + readMb(part, "smaps_rollup", "Pss"), 0),
  };
}

/** 0 when the process has ended meanwhile. */
function readMb({ pid }: LiveProcess, file: string, name: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/${file}`, "utf8");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0) / 1024;
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as { code?: string }).code ?? "")) return 0;
    throw error;
  }
}
