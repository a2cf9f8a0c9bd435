import type { Page } from "playwright-core";
import { type Browser, openBrowser, watchForTrouble } from "./browser.ts";
import { expectJson } from "./http.ts";
import { startServer, type ServerOptions, type TestServer } from "./server-process.ts";
import { fakeClaude } from "./test-app.ts";

/** A server with an agent "anna", a browser that is logged in, and the agent's page. */
export interface Chat extends AsyncDisposable {
  server: TestServer;
  browser: Browser;
  page: Page;
  /** What the pages have done that they shouldn't have. */
  trouble: string[];
  /** Another tab, on that path. */
  openTab(path: string): Promise<Page>;
  /** Types into the composer of the page and presses Enter. */
  send(text: string): Promise<void>;
  /** By the API; resolves when the run has ended. */
  execute(prompt: string): Promise<void>;
  /** By the API; resolves when the run is accepted. */
  start(prompt: string): Promise<void>;
}

export async function openChat(
  options: { cli?: string; server?: ServerOptions; browser?: Parameters<typeof openBrowser>[0] } = {},
): Promise<Chat> {
  const { env, ...more } = options.server ?? {};
  await using opening = new AsyncDisposableStack();
  const server = opening.use(
    await startServer({ env: { HEADWAY_CLAUDE_PATH: fakeClaude, ...env }, ...more }),
  );
  const browser = opening.use(await openBrowser(options.browser));
  await expectJson(server.fetch, 201, "POST", "/api/agents", {
    body: { id: "anna", cli: options.cli ?? "claude", cwd: server.workspace },
  });
  const trouble: string[] = [];
  const openTab = async (path: string) => {
    const page = await browser.context.newPage();
    const found = watchForTrouble(page, server.url);
    found.push = (...texts) => trouble.push(...texts);
    await page.goto(`${server.url}${path}`);
    return page;
  };
  const execute = (prompt: string, headers: Record<string, string> = {}) =>
    server.fetch("/api/agents/anna/execute", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ prompt }),
    });
  const page = await openTab(server.loginUrl.slice(server.url.length));
  await page.goto(`${server.url}/agents/anna`);
  const open = opening.move();
  return {
    server,
    browser,
    page,
    trouble,
    openTab,
    async send(text) {
      await page.fill("#composer-text", text);
      await page.press("#composer-text", "Enter");
    },
    execute: async (prompt) => void (await execute(prompt)),
    start: async (prompt) => void (await execute(prompt, { prefer: "respond-async" })),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
