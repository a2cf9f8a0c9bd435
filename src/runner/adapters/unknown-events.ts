import type { Decoded } from "./adapter.ts";
import { anomaly, events } from "./decoded.ts";
import { notice } from "./notices.ts";

/** Longest piece of a type that a notice quotes. */
const quotedChars = 200;
/** Types that get a notice of their own; a hostile CLI could invent one per line. */
const shownTypesMax = 64;

/**
 * What Headway doesn't know: kept and counted each time, and shown once for each type.
 * @param shownTypes those of the process that were shown; null where there is no turn to show it in
 */
export function unknownEvent(shownTypes: Set<string> | null, type: string): Decoded[] {
  const found = anomaly("unknown_event", type);
  if (!shownTypes || shownTypes.has(type) || shownTypes.size >= shownTypesMax) return [found];
  shownTypes.add(type);
  const message = `The CLI told something that Headway does not know: ${type.slice(0, quotedChars)}`;
  return [found, ...events([notice("unknown_event", message)])];
}
