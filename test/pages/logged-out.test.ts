import { describe, expect, test } from "bun:test";
import { openBrowser, withoutBrowser } from "../helpers/browser.ts";
import { startServer } from "../helpers/server-process.ts";

describe.skipIf(withoutBrowser)("a page whose login has ended", () => {
  test("leads to the login page as soon as its stream has to begin anew", async () => {
    await using server = await startServer();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.click("text=Start with a demo agent");
    await page.waitForURL("**/agents/demo");
    await browser.context.clearCookies();

    await server.kill();
    await server.restart();

    await page.waitForURL("**/login?next=%2Fagents%2Fdemo");
    expect(await page.locator("h1").allInnerTexts()).toEqual(["Log in"]);
  });

  test("asks for a login when something is sent, and has kept what was typed", async () => {
    await using server = await startServer();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.click("text=Start with a demo agent");
    await page.fill("#composer-text", "code, please");
    await browser.context.clearCookies();

    await page.click(".composer button.primary");
    await page.waitForURL("**/login?next=%2Fagents%2Fdemo");
    await page.fill("[name=token]", server.token);
    await page.click("main button");
    await page.waitForURL("**/agents/demo");

    expect(await page.inputValue("#composer-text")).toBe("code, please");
    expect(await page.locator(".turn").count()).toBe(0);
  });
});
