import { describe, expect, test } from "bun:test";
import { healthCursor, openHealthView } from "../../src/routes/pages/health/health-view.tsx";
import { readHealth } from "../../src/routes/pages/health/health-reads.ts";
import type { HealthFacts } from "../../src/views/health/health-facts.ts";
import { anOpenBreaker, someHealth, someWork } from "../helpers/health-records.ts";

/** Health that is what a test says, and a clock whose alarms ring when it says so. */
function watch(first: Partial<HealthFacts> = {}) {
  let facts = someHealth(first);
  const wakes = new Set<() => void>();
  const alarms = new Set<() => void>();
  const health = {
    containment: () => facts.containment,
    breakers: () => facts.breakers,
    quarantined: () => facts.quarantined,
    work: () => facts.work,
    store: () => facts.store,
    limits: facts.limits,
    onChange(wake: () => void) {
      wakes.add(wake);
      return () => void wakes.delete(wake);
    },
  };
  const clock = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    after(_delayMs: number, ring: () => void) {
      alarms.add(ring);
      return { refresh: () => undefined, stop: () => void alarms.delete(ring) };
    },
  };
  const rings: string[] = [];
  return {
    rings,
    alarms,
    wakes,
    cursor: () => healthCursor(readHealth(health)),
    open: (cursor: string) => openHealthView({ health, clock })("", cursor, () => void rings.push("ring")),
    set(given: Partial<HealthFacts>) {
      facts = someHealth(given);
      for (const wake of wakes) wake();
    },
    ringAlarms() {
      for (const ring of alarms) ring();
      alarms.clear();
    },
  };
}

const targetsOf = (html: string) =>
  [...html.matchAll(/<hx-partial hx-target="#([\w-]+)"/g)].map(([, id]) => id);

describe("the live health page", () => {
  test("has nothing to say of what the page shows already", async () => {
    const health = watch();
    const cursor = health.cursor();

    const update = await health.open(cursor).update();

    expect(update).toEqual({ html: "", cursor, gone: false, news: [] });
  });

  test("shows everything anew to a page that shows something else", async () => {
    const { html } = await watch().open("another").update();

    expect(targetsOf(html)).toEqual([
      "health-mark",
      "health-summary",
      "health-breakers",
      "health-quarantine",
      "health-work",
      "health-containment",
      "health-store",
      "health-limits",
    ]);
  });

  test("sends what has changed, and no more", async () => {
    const health = watch();
    const view = health.open(health.cursor());
    await view.update();

    health.set({ work: someWork({ running: 3 }) });
    const ofWork = await view.update();
    health.set({ work: someWork({ running: 3 }), breakers: [anOpenBreaker()] });
    const ofBreaker = await view.update();
    const ofNothing = await view.update();

    expect(targetsOf(ofWork.html)).toEqual(["health-work"]);
    expect(ofWork.html).toContain("3 of 10");
    expect(targetsOf(ofBreaker.html)).toEqual(["health-mark", "health-summary", "health-breakers"]);
    expect(ofBreaker.cursor).toBe(health.cursor());
    expect(ofNothing.html).toBe("");
  });

  test("rings once for many changes, a moment later, and no more when it is closed", () => {
    const health = watch();
    const view = health.open("");

    for (let change = 0; change < 100; change += 1) health.set({});
    const before = health.rings.length;
    health.ringAlarms();
    health.set({});
    view.close();

    expect([before, health.rings.length]).toEqual([0, 1]);
    expect([health.alarms.size, health.wakes.size]).toEqual([0, 0]);
  });
});
