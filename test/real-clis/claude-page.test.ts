import { describe, expect, test } from "bun:test";
import { openBrowser, watchForTrouble, withoutBrowser } from "../helpers/browser.ts";
import { claudeIsInstalled, startClaudeServer } from "./claude-server.ts";

describe.skipIf(withoutBrowser || !claudeIsInstalled())("the real Claude Code on its page", () => {
  test("shows an edit as a diff, a denial with its way out, and how to go on in a terminal", async () => {
    await using claude = await startClaudeServer();
    await using browser = await openBrowser();
    const { server } = claude;
    const page = await browser.context.newPage();
    const trouble = watchForTrouble(page, server.url);
    await page.goto(server.loginUrl);
    await page.goto(`${server.url}/agents/ada`);
    const send = async (text: string, answers: number) => {
      await page.fill("#composer-text", text);
      await page.press("#composer-text", "Enter");
      await page
        .locator(".turn.answer.state-succeeded")
        .nth(answers - 1)
        .waitFor();
    };

    await send(`write file \`${server.workspace}/notes.txt\``, 1);
    await send("use tool `curl http://127.0.0.1:9/`", 2);
    await page.click(".menu summary");

    const [edit, denied] = [page.locator(".tool").first(), page.locator(".tool").nth(1)];
    expect(await edit.locator("summary").innerText()).toMatch(/Write[\s\S]*notes\.txt[\s\S]*\+1\s+−0/);
    expect(await edit.locator(".diff-line.added").isVisible()).toBe(true);
    expect(await denied.locator("summary").innerText()).toContain("not allowed");
    expect(await page.locator(".notice-permission_denied").innerText()).toContain(
      'permission mode to "full"',
    );
    expect(await page.locator(".resume code").innerText()).toMatch(
      /^cd \S+ && claude --resume [0-9a-f-]{36}$/,
    );
    expect(trouble).toEqual([]);
  }, 60_000);
});
