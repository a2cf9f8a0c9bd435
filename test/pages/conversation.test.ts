import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { type Browser, openBrowser, watchForTrouble, withoutBrowser } from "../helpers/browser.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { waitFor } from "../helpers/wait.ts";

const slowWords = "This answer takes its time";

describe.skipIf(withoutBrowser)("talking to the demo agent in a browser", () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let trouble: string[];

  beforeAll(async () => {
    server = await startServer();
    browser = await openBrowser();
    page = await browser.context.newPage();
    trouble = watchForTrouble(page, server.url);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const liveText = async () => (await page.locator(".turn.live .prose").allInnerTexts()).join("");
  const send = async (text: string) => {
    await page.fill("#composer-text", text);
    await page.press("#composer-text", "Enter");
  };
  const settled = (state: string) => page.locator(`.turn.answer.state-${state}`).last();

  test("the printed link logs in, once", async () => {
    await page.goto(server.loginUrl);

    expect(new URL(page.url()).pathname).toBe("/");
    const stranger = await fetch(server.loginUrl, { redirect: "manual" });
    expect(stranger.headers.get("set-cookie")).toBeNull();
  });

  test("one click makes a demo agent in a folder of its own, and opens it", async () => {
    await page.click("text=Start with a demo agent");

    await page.waitForURL("**/agents/demo");
    expect(await page.locator(".agent-head").innerText()).toContain(
      `${server.workspace.replace(/\/project$/, "")}/headway-demo`,
    );
  });

  test("an answer grows while it is written, and a message is shown once", async () => {
    await send("a slow answer, please");

    await waitFor(async () => (await liveText()).includes(slowWords), { what: "the first words" });
    const early = await liveText();
    await waitFor(async () => (await liveText()).length > early.length + 20, { what: "more words" });
    expect(await page.locator(".turn.live").count()).toBe(1);
    expect(await page.locator(".turn.user").count()).toBe(1);
    expect(await page.inputValue("#composer-text")).toBe("");
  });

  test("a page that is loaded in mid-run shows the text so far and goes on", async () => {
    const before = await liveText();

    await page.reload();

    const after = await liveText();
    expect(after.startsWith(before.slice(0, 20))).toBe(true);
    expect(after.length).toBeGreaterThanOrEqual(before.length);
    await waitFor(async () => (await liveText()).length > after.length, { what: "words after the reload" });
  });

  test("a second message waits with its place, and can be taken back", async () => {
    await send("never mind");
    await page.waitForSelector(".turn.pending");
    expect(await page.locator(".turn.pending").innerText()).toContain("place 1");

    await page.click("text=Take back");

    await page.waitForSelector(".turn.pending", { state: "detached" });
    expect(await page.locator("#conversation").innerText()).not.toContain("never mind");
  });

  test("Stop ends the answer and keeps what was said", async () => {
    await page.click("text=Stop");

    await settled("cancelled").waitFor();
    expect(await settled("cancelled").innerText()).toContain(slowWords);
    expect(await page.locator(".turn.live").count()).toBe(0);
    await page.waitForSelector("#agent-status >> text=idle");
  });

  test("Markdown comes out rendered, and stays so when the answer has ended", async () => {
    await send("show me markdown");

    await settled("succeeded").waitFor();
    expect(await settled("succeeded").locator(".prose h4").first().innerText()).toBe("A heading");
    expect(await settled("succeeded").locator("table td").count()).toBe(3);
    expect(await page.locator(".turn.user").count()).toBe(2);
  });

  test("a tool call shows what was run and, unfolded, what came of it", async () => {
    await send("use a tool");
    await settled("succeeded").locator(".tool").waitFor();

    await settled("succeeded").locator("summary").click();

    expect(await settled("succeeded").locator(".tool").innerText()).toMatch(/Bash\s+date[\s\S]*Output\s+\S/);
    expect(await settled("succeeded").locator(".prose").count()).toBe(2);
  });

  test("an error is told in words, with its code", async () => {
    await send("make an error");

    await settled("failed").waitFor();
    expect(await settled("failed").locator(".problem").innerText()).toMatch(
      /The error that you asked for.*cli_error|cli_error/,
    );
  });

  test("a run has a page of its own, with its events", async () => {
    await settled("failed").locator("a", { hasText: "run" }).first().click();

    await page.waitForURL("**/runs/run_*");
    const text = await page.locator("main").innerText();
    expect(text).toContain("run.finished");
    expect(text).toContain("Try again");
  });

  test("a deleted agent is gone from the pages that show it", async () => {
    const other = await browser.context.newPage();
    await other.goto(`${server.url}/agents/demo`);
    await page.goto(`${server.url}/agents/demo/settings`);

    await page.click("button:has-text('Delete')");

    await page.waitForURL(`${server.url}/`);
    await other.waitForSelector("text=demo is gone");
    expect(await page.locator("text=Start with a demo agent").count()).toBe(1);
  });

  test("nothing of all this broke the content policy or threw", () => {
    expect(trouble).toEqual([]);
  });
});
