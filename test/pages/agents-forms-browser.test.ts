import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { Agent } from "../../src/domain/agent.ts";
import { openBrowser, watchForTrouble, withoutBrowser } from "../helpers/browser.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { fakeClaude } from "../helpers/test-app.ts";

const focusedId = (page: Page) => page.evaluate("document.activeElement.id");

/** Clicks what leads to another page, and waits for that. */
async function follow(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

async function openForm(page: Page, server: TestServer): Promise<void> {
  await page.goto(server.loginUrl);
  await follow(page, "text=Create an agent");
}

const withClaude = () => startServer({ env: { HEADWAY_CLAUDE_PATH: fakeClaude } });

describe.skipIf(withoutBrowser)("the form of a new agent in a browser", () => {
  test.each([true, false])(
    "brings the focus to its problems and from there to each field, and keeps what was typed (scripts: %p)",
    async (javaScriptEnabled) => {
      await using server = await withClaude();
      await using browser = await openBrowser({ javaScriptEnabled });
      const page = await browser.context.newPage();
      await openForm(page, server);

      await page.fill("[name=id]", "Wrong Name");
      await page.fill("[name=systemPrompt]", "\nBe </textarea> kind.\n");
      await page.click("text=More: limits");
      await page.fill("[name=timeout]", "soon");
      await follow(page, "text=Create agent");

      expect(await focusedId(page)).toBe("problem-summary");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.waitForURL("**/agents#field-timeout");
      expect(await focusedId(page)).toBe("field-timeout");
      expect(await page.inputValue("[name=id]")).toBe("Wrong Name");
      expect(await page.inputValue("[name=systemPrompt]")).toBe("\nBe </textarea> kind.\n");
      expect(await page.locator("#field-timeout").getAttribute("aria-describedby")).toBe(
        "field-timeout-hint field-timeout-problem",
      );

      await page.fill("[name=timeout]", "2 h");
      await page.fill("[name=id]", "right-name");
      await follow(page, "text=Create agent");
      expect(new URL(page.url()).pathname).toBe("/agents/right-name");
      const agent = await expectJson<Agent>(server.fetch, 200, "GET", "/api/agents/right-name");
      expect(agent).toMatchObject({ timeoutMs: 7_200_000, systemPrompt: "\nBe </textarea> kind.\n" });
    },
    30_000,
  );

  test("suggests sub-folders while a path is typed", async () => {
    await using server = await withClaude();
    await using browser = await openBrowser();
    const page = await browser.context.newPage();
    const trouble = watchForTrouble(page, server.url);
    await openForm(page, server);

    await page.locator("[name=folder]").pressSequentially(`${server.workspace.slice(0, -3)}`);

    await page.waitForSelector(`#folders option[value="${server.workspace}"]`, { state: "attached" });
    expect(await focusedId(page)).toBe("field-folder");
    expect(trouble).toEqual([]);
  }, 30_000);
});

describe.skipIf(withoutBrowser)("the settings of an agent in a browser", () => {
  test("saved as they are shown stay as they are, and a changed one is kept", async () => {
    await using server = await withClaude();
    await using browser = await openBrowser();
    const settings = {
      systemPrompt: '\n\n</textarea><b>\r lone, "quotes" &amp; all\n',
      mcpConfigPath: "/etc/with\nline end.json",
      timeoutMs: 86_399_999,
      metadata: { "<b>": ["</textarea>", { deep: null }] },
    };
    await expectJson(server.fetch, 201, "POST", "/api/agents", {
      body: { id: "odd", cli: "claude", cwd: server.workspace, ...settings },
    });
    const page = await browser.context.newPage();
    const trouble = watchForTrouble(page, server.url);
    await page.goto(server.loginUrl);
    await page.goto(`${server.url}/agents/odd/settings`);

    await page.fill("[name=model]", "haiku");
    await follow(page, "button:has-text('Save')");

    expect(page.url()).toEndWith("/agents/odd/settings?saved=1");
    expect(await page.locator("[role=status]").innerText()).toContain("Saved.");
    const agent = await expectJson<Agent>(server.fetch, 200, "GET", "/api/agents/odd");
    expect(agent).toMatchObject({ ...settings, model: "haiku" });
    expect(trouble).toEqual([]);
  }, 30_000);

  test("refuse to delete a busy agent with the focus on why, and do it when told to stop it", async () => {
    await using server = await withClaude();
    await using browser = await openBrowser();
    await expectJson(server.fetch, 201, "POST", "/api/agents", {
      body: { id: "busy", cli: "claude", cwd: server.workspace },
    });
    await expectJson(server.fetch, 202, "POST", "/api/agents/busy/execute", {
      body: { prompt: "forever" },
      headers: { prefer: "respond-async" },
    });
    const page = await browser.context.newPage();
    await page.goto(server.loginUrl);
    await page.goto(`${server.url}/agents/busy/settings`);

    await follow(page, "text=Delete busy");
    expect(await focusedId(page)).toBe("problem-summary");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL("**#field-delete");
    expect(await focusedId(page)).toBe("field-delete");
    await page.keyboard.press("Space");
    await follow(page, "text=Delete busy");

    expect(page.url()).toBe(`${server.url}/`);
    expect(await page.locator("h1").innerText()).toBe("Welcome to Headway");
  }, 30_000);
});
