import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { isTooWide, violations } from "../helpers/axe.ts";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { fakeClaude } from "../helpers/test-app.ts";

const unbroken = "unbroken".repeat(60);

interface Conversations {
  /** More turns than a page has, active. */
  long: string;
  /** Ended, with an unbroken word as its title. */
  ended: string;
  /** Of an agent that is gone. */
  orphaned: string;
  /** With a run that doesn't end. */
  busy: string;
}

async function converse(server: TestServer): Promise<Conversations> {
  const execute = async (agentId: string, prompt: string, prefer = "") => {
    const path = `/api/agents/${agentId}/execute`;
    const headers = { "content-type": "application/json", prefer };
    const answer = await server.fetch(path, { method: "POST", headers, body: JSON.stringify({ prompt }) });
    return ((await answer.json()) as { conversationId: string }).conversationId;
  };
  const agents = ["anna", "bert", "gone", "busy"];
  for (const id of agents) {
    await expectJson(server.fetch, 201, "POST", "/api/agents", {
      body: { id, cli: "claude", cwd: server.workspace },
    });
  }
  const orphaned = await execute("gone", "a badger of one that is gone");
  await server.fetch("/api/agents/gone", { method: "DELETE" });
  const ended = await execute("bert", `${unbroken} badger ${unbroken}`);
  await server.fetch("/api/agents/bert/end-session", { method: "POST" });
  for (let n = 1; n <= 21; n++) {
    await execute("bert", `badger number ${n}`);
    await server.fetch("/api/agents/bert/end-session", { method: "POST" });
  }
  await execute("bert", "exit=3 badger");
  let long = "";
  for (let n = 1; n <= 45; n++) long = await execute("anna", `question ${n}`);
  const busy = await execute("busy", "forever", "respond-async");
  return { long, ended, orphaned, busy };
}

/** Pages of conversations by their state, and how to get there. */
function statesOf(page: Page, url: string, { long, ended, orphaned, busy }: Conversations) {
  const open = (path: string) => page.goto(`${url}${path}`);
  return {
    all: () => open("/conversations"),
    hits: () => open("/conversations?q=badger"),
    "hits in unbroken words": () => open("/conversations?q=unbrok"),
    filtered: async () => {
      await open("/conversations?q=badger&agent=bert&state=failed&cli=claude&from=2020-01-01&to=2999-12-31");
      await page.click("summary >> text=Filters");
    },
    "nothing found": () => open(`/conversations?q=${unbroken.slice(0, 400)}`),
    mistaken: () => open("/conversations?q=badger&agent=No&from=2026-11-22&to=2026-11-20"),
    "next page": async () => {
      await open("/conversations?q=badger");
      await page.click("#more-link");
      await page.waitForSelector("text=That is all.");
    },
    long: () => open(`/conversations/${long}`),
    "at a turn": () => open(`/conversations/${long}?at=30`),
    ended: async () => {
      await open(`/conversations/${ended}`);
      await page.click("summary >> text=Delete this conversation");
    },
    orphaned: () => open(`/conversations/${orphaned}`),
    busy: () => open(`/conversations/${busy}`),
    "not deleted": async () => {
      await open(`/conversations/${busy}`);
      await page.click("summary >> text=Delete this conversation");
      await Promise.all([page.waitForEvent("load"), page.click("text=Delete for good")]);
    },
    missing: () => open("/conversations/conv_none"),
  };
}

setDefaultTimeout(60_000);

describe.skipIf(withoutBrowser)("the pages of conversations, to everybody", () => {
  test("have no barriers that axe knows of, and fit a telephone, in each state", async () => {
    await using server = await startServer({ env: { HEADWAY_CLAUDE_PATH: fakeClaude } });
    await using browser = await openBrowser({ viewport: { width: 360, height: 740 } });
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.goto(`${server.url}/conversations`);
    const found: Record<string, unknown> = {
      none: { violations: await violations(page), isTooWide: await isTooWide(page) },
    };

    const states = statesOf(page, server.url, await converse(server));
    for (const [name, open] of Object.entries(states)) {
      await open();
      found[name] = { violations: await violations(page), isTooWide: await isTooWide(page) };
    }

    const fine = { violations: [], isTooWide: false };
    expect(found).toEqual(Object.fromEntries(["none", ...Object.keys(states)].map((name) => [name, fine])));
  }, 120_000);

  test("can be searched and read with the keyboard alone", async () => {
    await using server = await startServer({ env: { HEADWAY_CLAUDE_PATH: fakeClaude } });
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await expectJson(server.fetch, 201, "POST", "/api/agents", {
      body: { id: "anna", cli: "claude", cwd: server.workspace },
    });
    await expectJson(server.fetch, 200, "POST", "/api/agents/anna/execute", { body: { prompt: "a badger" } });
    await page.goto(server.loginUrl);
    await page.goto(`${server.url}/conversations`);
    const focused = () => page.evaluate("(document.activeElement.id || document.activeElement.textContent)");

    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("field-q");
    await page.keyboard.type("badger");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/conversations?q=badger");
    const reached: unknown[] = [];
    while (!String(reached.at(-1)).includes("badger") && reached.length < 20) {
      await page.keyboard.press("Tab");
      reached.push(await focused());
    }
    await page.keyboard.press("Enter");
    await page.waitForURL("**/conversations/conv_*");

    expect(await page.locator("h1").innerText()).toBe("a badger");
  });
});
