import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { withoutBrowser } from "../helpers/browser.ts";
import { type Chat, openChat } from "../helpers/chat.ts";
import { followingOf, openLiveStream } from "../helpers/live-stream.ts";
import { lastWords, sampleLongAnswer } from "../helpers/sample-markdown.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { writePrompt, writerCli } from "../helpers/writer-cli.ts";

const kb = 1024;

setDefaultTimeout(240_000);

describe.skipIf(withoutBrowser)("an answer of 200 KB", () => {
  test("reads at its end as if it had been there when the page was opened", async () => {
    await using chat = await openWriter();

    await startAnswer(chat, { kilobytes: 200, seconds: 20 });
    await untilSettled(chat.page);
    const followed = await readAnswer(chat.page);
    await chat.page.reload();
    const opened = await readAnswer(chat.page);

    expect(followed.length).toBeGreaterThan(1_000);
    expect(followed).toEqual(opened);
    expect(chat.trouble).toEqual([]);
  });

  test("is shown whole by eight tabs that follow it at once", async () => {
    await using chat = await openWriter();
    const tabs = [chat.page];
    while (tabs.length < 8) tabs.push(await chat.openTab("/agents/anna"));

    await startAnswer(chat, { kilobytes: 200, seconds: 20 });
    for (const tab of tabs) await untilSettled(tab);
    const answers = await Promise.all(tabs.map(readAnswer));

    for (const answer of answers) expect(answer).toEqual(answers[0]!);
    expect(chat.trouble).toEqual([]);
  });
});

test("a longer answer costs a tab no more for each of its bytes than a shorter one", async () => {
  await using server = await startServer({ env: { HEADWAY_CLAUDE_PATH: writerCli } });

  const short = await streamedPerByte(server, "anna", { kilobytes: 40, seconds: 4 });
  const long = await streamedPerByte(server, "ben", { kilobytes: 200, seconds: 20 });

  console.info(`× ${short.toFixed(1)} for 40 KB, × ${long.toFixed(1)} for 200 KB`);
  expect(long).toBeLessThan(short * 1.5);
});

interface Length {
  kilobytes: number;
  seconds: number;
}

function openWriter(): Promise<Chat> {
  return openChat({ server: { env: { HEADWAY_CLAUDE_PATH: writerCli } } });
}

async function startAnswer({ server, start }: Chat, { kilobytes, seconds }: Length): Promise<void> {
  await start(await writePrompt(server.workspace, sampleLongAnswer(kilobytes * kb), { seconds }));
}

async function untilSettled(page: Page): Promise<void> {
  const isSettled = (words: string) =>
    document.querySelector(".turn.answer:not(.live)")?.textContent?.includes(words) === true;
  await page.waitForFunction(isSettled, lastWords, { timeout: 120_000, polling: 100 });
}

/** What Markdown makes, in order: each element with its text. */
function readAnswer(page: Page): Promise<string[]> {
  const made = "p, li, th, td, pre, blockquote, h2, h3, h4, h5, a[href], [class^=hljs-]";
  return page.evaluate(
    (selector) =>
      [...document.querySelectorAll(`.turn.answer [hx-ignore] :is(${selector})`)].map(
        (element) => `${element.tagName} ${element.className}: ${element.textContent}`,
      ),
    made,
  );
}

/** Bytes of the changes that one tab gets, for each byte of the answer. */
async function streamedPerByte(
  server: TestServer,
  agentId: string,
  { kilobytes, seconds }: Length,
): Promise<number> {
  const json = { "content-type": "application/json" };
  const agent = { id: agentId, cli: "claude", cwd: server.workspace };
  await server.fetch("/api/agents", { method: "POST", headers: json, body: JSON.stringify(agent) });
  const text = sampleLongAnswer(kilobytes * kb);
  const prompt = await writePrompt(server.workspace, text, { seconds });
  const following = await followingOf(server.fetch, `/agents/${agentId}`);
  await using stream = await openLiveStream(server.fetch, [following]);

  await server.fetch(`/api/agents/${agentId}/execute`, {
    method: "POST",
    headers: { ...json, prefer: "respond-async" },
    body: JSON.stringify({ prompt }),
  });
  const frames = await stream.until(({ news }) => news.length > 0);
  return frames.reduce((bytes, { html }) => bytes + Buffer.byteLength(html), 0) / Buffer.byteLength(text);
}
