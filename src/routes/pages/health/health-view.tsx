import type { Alarm } from "../../../domain/clock.ts";
import { elementIds } from "../../../views/element-ids.ts";
import { countAttention, type HealthFacts } from "../../../views/health/health-facts.ts";
import { HealthSection, HealthSummary, sectionNames } from "../../../views/health/health-page.tsx";
import { HealthMark } from "../../../views/layout.tsx";
import { renderHtml } from "../../../views/render.ts";
import { fingerprint } from "../agents/agents-board.tsx";
import type { OpenLiveView } from "../live/live-view.ts";
import { partial } from "../live/partial.tsx";
import type { PageDependencies } from "../page-dependencies.ts";
import { type HealthReads, readHealth } from "./health-reads.ts";

/**
 * A change is looked at this long after it was announced: what it brings about has happened by then, and a
 * busy server doesn't have the page drawn at each step of each run.
 */
const settleMs = 250;

interface HealthViewDependencies {
  health: Omit<HealthReads, "attention">;
  clock: PageDependencies["clock"];
}

/** The health page, live: sections that have changed are sent whole. */
export function openHealthView({ health, clock }: HealthViewDependencies): OpenLiveView {
  return (_name, cursor, ring) => {
    let alarm: Alarm | null = null;
    const leave = health.onChange(() => {
      alarm ??= clock.after(settleMs, () => {
        alarm = null;
        ring();
      });
    });
    const update = createHealthUpdates(health, cursor);
    return {
      update: async () => update(),
      close() {
        leave();
        alarm?.stop();
      },
    };
  };
}

function createHealthUpdates(health: HealthViewDependencies["health"], shownCursor: string) {
  let shown: ReadonlyMap<string, string> | null = null;
  return () => {
    const pieces = piecesOf(readHealth(health));
    const cursor = cursorOf(pieces);
    const isShown = ([id, html]: [string, string]) =>
      shown === null ? cursor === shownCursor : shown.get(id) === html;
    const changed = [...pieces].filter((piece) => !isShown(piece));
    shown = pieces;
    const html = changed.map(([id, piece]) => partial(id, "outerMorph", piece)).join("");
    return { html, cursor, gone: false, news: [] };
  };
}

/** What a page that shows this has as its cursor. */
export function healthCursor(facts: HealthFacts): string {
  return cursorOf(piecesOf(facts));
}

function cursorOf(pieces: ReadonlyMap<string, string>): string {
  return fingerprint([...pieces.values()].join(""));
}

/** All that may change on the page, by its element. */
function piecesOf(facts: HealthFacts): ReadonlyMap<string, string> {
  return new Map([
    [elementIds.healthMark, renderHtml(<HealthMark attention={countAttention(facts)} />)],
    [elementIds.healthSummary, renderHtml(<HealthSummary concerns={facts} />)],
    ...sectionNames.map(
      (name) =>
        [elementIds.healthSection(name), renderHtml(<HealthSection name={name} facts={facts} />)] as const,
    ),
  ]);
}
