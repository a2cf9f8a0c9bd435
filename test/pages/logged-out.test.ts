import { describe, expect, test } from "bun:test";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { startServer } from "../helpers/server-process.ts";

describe.skipIf(withoutBrowser)("a page whose login has ended", () => {
  test("leads to the login page instead of showing it in its own midst", async () => {
    await using server = await startServer();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.click("text=Start with a demo agent");
    await page.goto(server.url);
    await page.waitForSelector("#agents");

    await browser.context.clearCookies();

    await page.waitForURL("**/login?next=%2F");
    expect(await page.locator("h1").allInnerTexts()).toEqual(["Log in"]);
  });

  test("keeps a message that could not be sent, and goes to the login when its stream comes back", async () => {
    await using server = await startServer();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.click("text=Start with a demo agent");
    await page.fill("#composer-text", "code, please");
    await browser.context.clearCookies();

    await page.click("text=Send");

    await page.waitForSelector("#problem >> text=You are logged out");
    expect(await page.inputValue("#composer-text")).toBe("code, please");
    await server.kill();
    await server.restart();
    await page.waitForURL("**/login?next=%2Fagents%2Fdemo");
  });
});
