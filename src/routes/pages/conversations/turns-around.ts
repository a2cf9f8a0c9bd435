import type { EntryRenderer } from "../chat/conversation-html.tsx";
import type { Entry } from "../chat/conversation-snapshot.ts";

/** Characters of HTML that one page of turns may have; the entry that is asked for is shown whatever its size. */
const pageCharsMax = 1_000_000;

/** The entries of one page as HTML, cut where they become too much for it. */
export interface TurnsAround {
  html: string;
  entries: readonly Entry[];
}

/**
 * Renders entries from the one at `index` on, both ways, as far as a page goes: half of it is for those
 * that follow, what is left for those before; all of it where none are before.
 */
export async function renderAround(
  renderer: Pick<EntryRenderer, "renderAll">,
  entries: readonly Entry[],
  index: number,
  charsMax: number = pageCharsMax,
): Promise<TurnsAround> {
  const share = index === 0 ? charsMax : charsMax / 2;
  const following = await renderWithin(renderer, entries.slice(index), share, 1);
  const charsLeft = charsMax - charsOf(following);
  const before = await renderWithin(renderer, entries.slice(0, index).reverse(), charsLeft, 0);
  return {
    html: [...before.reverse(), ...following].join(""),
    entries: entries.slice(index - before.length, index + following.length),
  };
}

/** The first of these entries. */
async function renderWithin(
  renderer: Pick<EntryRenderer, "renderAll">,
  entries: readonly Entry[],
  charsMax: number,
  entriesMin: number,
): Promise<string[]> {
  const htmls: string[] = [];
  for (const entry of entries) {
    const html = await renderer.renderAll([entry]);
    if (htmls.length >= entriesMin && charsOf(htmls) + html.length > charsMax) break;
    htmls.push(html);
  }
  return htmls;
}

function charsOf(htmls: readonly string[]): number {
  return htmls.reduce((chars, html) => chars + html.length, 0);
}
