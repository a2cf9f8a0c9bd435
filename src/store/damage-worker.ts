import type { DamageFound } from "./damage-watch.ts";
import { lookForDamage } from "./database.ts";

declare const self: Worker;

/** A thread of its own: it is told where a database lies, answers with what is wrong with it and is ended. */
self.onmessage = ({ data: path }: MessageEvent<string>) =>
  self.postMessage({ found: lookForDamage(path) } satisfies DamageFound);
