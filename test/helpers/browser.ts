import { existsSync } from "node:fs";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { makeTempFolder } from "./temp.ts";

export const executablePath = "/usr/bin/chromium";
export const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A machine without Chromium skips the browser's tests; where everything must be there, they fail. */
export const withoutBrowser = !existsSync(executablePath) && process.env["CI"] !== "true";

export interface Browser extends AsyncDisposable {
  context: BrowserContext;
}

/** A browser with a profile of its own, which is removed with it. */
export async function openBrowser(options: BrowserContextOptions = {}): Promise<Browser> {
  const profile = makeTempFolder();
  const context = await chromium
    .launchPersistentContext(profile.path, { executablePath, args: flags, headless: true, ...options })
    .catch((error: unknown) => {
      profile[Symbol.dispose]();
      throw error;
    });
  context.setDefaultTimeout(15_000);
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close();
      profile[Symbol.dispose]();
    },
  };
}

/** What a page has done that it shouldn't have: dialogs, errors, breaches of its policy, foreign requests. */
export function watchForTrouble(page: Page, origin: string): string[] {
  const trouble: string[] = [];
  page.on("dialog", (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => void trouble.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") trouble.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) trouble.push(`request: ${request.url()}`);
  });
  return trouble;
}
