import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { openBrowser, watchForTrouble, withoutBrowser } from "../helpers/browser.ts";
import { chromiumMemory } from "../helpers/chromium-memory.ts";
import { seedStore } from "../helpers/seeded-store.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { waitFor } from "../helpers/wait.ts";

const turns = 10_000;
const turnsOfPage = 40;
const rendererMbMax = 300;

setDefaultTimeout(240_000);

let folder: ReturnType<typeof makeTempFolder>;
let server: TestServer;
let conversationId: string;

beforeAll(async () => {
  folder = makeTempFolder();
  const dataDir = join(folder.path, "data");
  const conversationIds = await seedStore(dataDir, [
    { id: "long", turns },
    { id: "short", turns: 100 },
  ]);
  conversationId = conversationIds["long"] ?? "";
  server = await startServer({ dataDir });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const read = async (path: string) => (await server.fetch(path)).text();
/** As their links name them. */
const seqsIn = (html: string) =>
  [...html.matchAll(/aria-label="Link to this turn, #(\d+)"/g)].map(([, seq]) => Number(seq));

describe(`a conversation of ${turns} turns`, () => {
  test("shows no more on its newest page than one of 100", async () => {
    const [long, short] = [await read("/agents/long"), await read("/agents/short")];

    expect(seqsIn(long)).toEqual(
      Array.from({ length: turnsOfPage }, (_, at) => turns - turnsOfPage + at + 1),
    );
    expect(long.length).toBeLessThan(short.length * 1.5);
  });

  test("leads back to its beginning, with every turn once and in order", async () => {
    const seqs: number[] = [];
    let older: string | undefined = `/fragments/conversations/${conversationId}/turns?before=${turns + 1}`;

    while (older !== undefined) {
      const html: string = await read(older);
      seqs.unshift(...seqsIn(html));
      older = /hx-get="([^"]+\/turns\?before=\d+)"/.exec(html)?.[1];
    }

    expect(seqs).toEqual(Array.from({ length: turns }, (_, at) => at + 1));
  });

  test("opens at any of its turns", async () => {
    const wanted = Array.from({ length: 40 }, (_, at) => 1 + Math.round((at * (turns - 1)) / 39));

    for (const seq of wanted) {
      const shown = seqsIn(await read(`/conversations/${conversationId}?at=${seq}`));

      expect(shown).toContain(seq);
      expect(shown.length).toBeLessThanOrEqual(turnsOfPage + 2);
    }
  });

  test.skipIf(withoutBrowser)(
    `is scrolled back by 500 turns within ${rendererMbMax} MB, and stays where it is read`,
    async () => {
      await using browser = await openBrowser();
      const page = await browser.context.newPage();
      const trouble = watchForTrouble(page, server.url);
      await page.goto(server.loginUrl);
      await page.goto(`${server.url}/agents/long`);

      const jumps: number[] = [];
      while ((await countTurns(page)) < turnsOfPage + 500) jumps.push(await loadOlder(page));
      const rendererMb = await heldMb(page);

      console.info(`${await countTurns(page)} turns, ${rendererMb.toFixed(0)} MB`);
      expect(jumps.filter((pixels) => Math.abs(pixels) > 40)).toEqual([]);
      expect(rendererMb).toBeGreaterThan(0);
      expect(rendererMb).toBeLessThan(rendererMbMax);
      expect(trouble).toEqual([]);
    },
  );
});

function countTurns(page: Page): Promise<number> {
  return page.evaluate(() => document.querySelectorAll("#turns > .turn").length);
}

/** Without the garbage, which a browser on a machine with much memory lets lie; it is given back with some delay. */
async function heldMb(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const isLow = () => chromiumMemory().rendererMb < rendererMbMax;
  await waitFor(isLow, { what: "the memory to be given back", deadlineMs: 5_000 }).catch(() => null);
  return chromiumMemory().rendererMb;
}

/** Scrolls to the top; tells by how much the turn that stood first has moved when older ones have come. */
async function loadOlder(page: Page): Promise<number> {
  const before = await page.evaluate(() => {
    document.documentElement.scrollTop = 0;
    const shown = document.querySelectorAll("#turns > .turn");
    const { top = 0 } = shown[0]?.getBoundingClientRect() ?? {};
    return { turns: shown.length, id: shown[0]?.querySelector(".anchor")?.id ?? "", top };
  });
  await waitFor(async () => (await countTurns(page)) > before.turns, { what: "older turns" });
  const top = await page.evaluate(
    (id) => document.getElementById(id)?.closest(".turn")?.getBoundingClientRect().top ?? Number.NaN,
    before.id,
  );
  return top - before.top;
}
