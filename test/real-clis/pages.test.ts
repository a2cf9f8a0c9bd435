import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { openBrowser, watchForTrouble, withoutBrowser } from "../helpers/browser.ts";
import { type CliServer, startCliServer } from "./cli-server.ts";
import { isInstalled, type RealCli } from "./install.ts";

/** How to go on in a terminal: a command, or the session's id where Headway knows none. */
const clis: { cli: RealCli; title: string; write: RegExp; resume: RegExp }[] = [
  {
    cli: "gemini",
    title: "Gemini CLI",
    write: /write_file[\s\S]*notes\.txt/,
    resume: /^cd \S+ && gemini --resume [0-9a-f-]{36}$/,
  },
  {
    cli: "droid",
    title: "Droid",
    write: /Create[\s\S]*notes\.txt/,
    resume: /^cd \S+ && droid --resume [0-9a-f-]{36}$/,
  },
  { cli: "opencode", title: "OpenCode", write: /write[\s\S]*notes\.txt/, resume: /^ses_\w+$/ },
];

async function send(page: Page, text: string, answers: number): Promise<string> {
  await page.fill("#composer-text", text);
  await page.press("#composer-text", "Enter");
  const answer = page.locator(".turn.answer.state-succeeded").nth(answers - 1);
  await answer.waitFor({ timeout: 60_000 });
  return answer.innerText();
}

async function openAgent({ server }: CliServer, page: Page): Promise<void> {
  await page.goto(server.loginUrl);
  await page.goto(`${server.url}/agents/ada`);
}

describe.each(clis)("the real $title on its page", ({ cli: name, write, resume }) => {
  test.skipIf(withoutBrowser || !isInstalled(name))(
    "remembers the first turn in the second, shows what it wrote, and how to go on in a terminal",
    async () => {
      await using cli = await startCliServer(name);
      await using browser = await openBrowser();
      const page = await browser.context.newPage();
      const trouble = watchForTrouble(page, cli.server.url);
      await openAgent(cli, page);

      await send(page, "my name is Ada", 1);
      const second = await send(page, "recall", 2);
      await send(page, `write file \`${cli.server.workspace}/notes.txt\``, 3);
      await page.click(".menu summary");

      expect(second).toContain("Earlier you said: my name is Ada");
      expect(await page.locator(".tool summary").first().innerText()).toMatch(write);
      expect(await page.locator(".diff-line.added").first().isVisible()).toBe(true);
      const commands = await page.locator(".resume code").allInnerTexts();
      expect(commands).toEqual([expect.stringMatching(resume)]);
      expect(trouble).toEqual([]);
    },
    120_000,
  );
});
