import { describe, expect, test } from "bun:test";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { startServer } from "../helpers/server-process.ts";
import { waitFor } from "../helpers/wait.ts";

describe.skipIf(withoutBrowser)("a page whose server is killed", () => {
  test("says so, and goes on by itself when the server is back", async () => {
    await using server = await startServer();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.click("text=Start with a demo agent");
    await page.fill("#composer-text", "slow");
    await page.click(".composer button.primary");
    const prose = page.locator(".turn.answer .prose");
    await waitFor(async () => (await prose.allInnerTexts()).join("").includes("takes its time"), {
      what: "words",
    });
    await page.evaluate("window.stillTheSamePage = true");

    await server.kill();
    await page.waitForSelector("html.away");
    await server.restart();

    await page.locator(".turn.answer.state-interrupted").waitFor();
    expect(await prose.innerText()).toContain("takes its time");
    await page.waitForSelector("html:not(.away)");
    await page.fill("#composer-text", "code");
    await page.click(".composer button.primary");
    await page.locator(".turn.answer.state-succeeded code").first().waitFor();
    expect(await page.locator(".turn.user").allInnerTexts()).toHaveLength(2);
    expect(await page.evaluate("window.stillTheSamePage")).toBe(true);
  });

  test("keeps what is typed while the server is away, and sends it once when asked again", async () => {
    await using server = await startServer();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.click("text=Start with a demo agent");
    await page.fill("#composer-text", "code, please");

    await server.kill();
    await page.click(".composer button.primary");

    await page.waitForSelector("#problem >> text=can't be reached");
    expect(await page.inputValue("#composer-text")).toBe("code, please");
    await server.restart();
    await page.click(".composer button.primary");
    await page.locator(".turn.answer.state-succeeded").waitFor();
    expect(await page.locator(".turn.user").count()).toBe(1);
    expect(await page.locator("#problem").innerText()).toBe("");
  });
});
