import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromium } from "playwright-core";
import { executablePath, flags, withoutBrowser } from "../helpers/browser.ts";
import { makeTempFolder } from "../helpers/temp.ts";
import { openTalksStage, type Stage } from "./state-stages.ts";

/** Not a package of ours: it is big, and only this test needs it. */
const lighthouse = ["npm", "exec", "--yes", "--package=lighthouse@13.5.0", "--", "lighthouse"];

/** A machine that can't fetch it skips the test; where everything must be there, it fails. */
const withoutLighthouse = Bun.spawnSync([...lighthouse, "--version"]).exitCode !== 0 && Bun.env.CI !== "true";

type Category = "accessibility" | "best-practices";

interface Report {
  finalDisplayedUrl: string;
  categories: Record<Category, { score: number | null; auditRefs: { id: string; weight: number }[] }>;
  audits: Record<string, { title: string; score: number | null; details?: { items?: unknown[] } }>;
}

/** A Chromium that both Playwright and Lighthouse talk to, so that they share its login. */
async function startChromium() {
  const profile = makeTempFolder();
  const child = Bun.spawn(
    [executablePath, ...flags, "--remote-debugging-port=0", `--user-data-dir=${profile.path}`, "about:blank"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const port = await portOf(child.stderr);
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
      profile[Symbol.dispose]();
    },
  };
}

async function portOf(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let said = "";
  const decoder = new TextDecoder();
  for await (const chunk of stderr.values({ preventCancel: true })) {
    said += decoder.decode(chunk, { stream: true });
    const port = /DevTools listening on ws:\/\/[^:]+:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(`Chromium ended:\n${said}`);
}

async function logIn(port: string, { server }: Stage): Promise<void> {
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const [context] = browser.contexts();
  const page = await context!.newPage();
  await page.goto(server.loginUrl);
  await page.close();
  await browser.close();
}

async function audit(port: string, url: string): Promise<Report> {
  const options = ["--only-categories=accessibility,best-practices", "--output=json", "--quiet"];
  const child = Bun.spawn([...lighthouse, url, `--port=${port}`, "--disable-storage-reset", ...options], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [report, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(errors);
  return JSON.parse(report) as Report;
}

/** What cost points, with the first of the places where. */
function failures({ categories, audits }: Report, category: Category): string[] {
  const counted = categories[category].auditRefs.filter(({ weight }) => weight > 0);
  return counted.flatMap(({ id }) => {
    const { title, score, details } = audits[id]!;
    if (score === null || score === 1) return [];
    return [`${id}: ${title} ${JSON.stringify(details?.items?.[0] ?? "").slice(0, 400)}`];
  });
}

describe.skipIf(withoutBrowser || withoutLighthouse)("Lighthouse", () => {
  const opened = new AsyncDisposableStack();
  let stage: Stage;
  let port: string;
  beforeAll(async () => {
    stage = opened.use(await openTalksStage());
    ({ port } = opened.use(await startChromium()));
    await logIn(port, stage);
  }, 60_000);
  afterAll(() => opened.disposeAsync(), 60_000);

  test.each([
    ["/", () => "/"],
    ["/agents/{id}", () => "/agents/api"],
    ["/conversations", () => "/conversations"],
    ["/conversations/{id}", () => `/conversations/${stage.idOf("ended")}`],
    ["/runs/{id}", () => `/runs/${stage.idOf("api")}`],
    ["/login", () => "/login"],
  ])(
    "finds nothing to better in the accessibility of %s, and follows good practice",
    async (_pattern, path) => {
      const url = `${stage.server.url}${path()}`;

      const report = await audit(port, url);

      const [accessibility, practices] = (["accessibility", "best-practices"] as const).map((category) => ({
        score: report.categories[category].score ?? 0,
        failures: failures(report, category),
      }));
      console.log(`${path()}: accessibility ${accessibility!.score}, best practices ${practices!.score}`);
      expect(report.finalDisplayedUrl).toBe(url);
      expect(accessibility).toEqual({ score: 1, failures: [] });
      expect(practices!.score, practices!.failures.join("\n")).toBeGreaterThanOrEqual(0.95);
    },
    180_000,
  );
});
