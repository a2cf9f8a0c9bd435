import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { startServer } from "../helpers/server-process.ts";
import { waitFor } from "../helpers/wait.ts";

/** Loads the page again until it shows the element. */
async function lookUntil(page: Page, selector: string): Promise<void> {
  const shows = async () => {
    await page.reload();
    return (await page.locator(selector).count()) > 0;
  };
  await waitFor(shows, { what: selector });
}

/** Clicks what leads to another page, and waits for that. */
async function follow(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

async function send(page: Page, text: string): Promise<void> {
  await page.fill("#composer-text", text);
  await follow(page, "text=Send");
}

describe.skipIf(withoutBrowser)("without JavaScript", () => {
  test("a person logs in, creates an agent, talks to it, stops it and logs out", async () => {
    await using server = await startServer();
    await using browser = await openBrowser({ javaScriptEnabled: false });
    const page = await browser.context.newPage();

    await page.goto(`${server.url}/agents/helper`);
    await page.fill("[name=token]", server.token);
    await follow(page, "button:has-text('Log in')");
    expect(new URL(page.url()).pathname).toBe("/agents/helper");

    await page.goto(server.url);
    await follow(page, "text=Create an agent");
    await page.fill("[name=id]", "helper");
    await page.check("[name=cli][value=demo]");
    await page.fill("[name=newFolder]", "helpers-folder");
    await follow(page, "button:has-text('Create agent')");
    expect(new URL(page.url()).pathname).toBe("/agents/helper");

    await send(page, "code");
    await lookUntil(page, ".turn.answer.state-succeeded pre");

    await send(page, "slow");
    await lookUntil(page, ".turn.live .prose");
    expect(await page.locator("text=Look again").count()).toBe(1);
    await follow(page, "text=Stop");
    expect(await page.locator(".turn.answer.state-cancelled").innerText()).toContain("stopped");

    await follow(page, "text=Log out");
    await page.goto(`${server.url}/agents/helper`);
    expect(new URL(page.url()).pathname).toBe("/login");
  }, 60_000);
});
