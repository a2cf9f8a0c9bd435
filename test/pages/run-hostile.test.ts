import { describe, expect, test } from "bun:test";
import type { RunEventBody } from "../../src/domain/event.ts";
import { hostileMarkdown, isSendable } from "../fixtures/hostile-markdown.ts";
import { openReader } from "./run-reader.ts";
import { openRunStage } from "./run-stage.ts";

/** What a page of ours is made of; nothing else may come out of a foreign text. */
const ownElements = new Set(
  (
    "html head meta title link script body a header img nav form button main h1 h2 p span section div svg line text " +
    "rect circle table thead tr th tbody td dl dt dd details summary ol li pre code time input strong footer " +
    "hx-partial figure figcaption ins del"
  ).split(" "),
);

const payloads = [
  ...hostileMarkdown,
  `"><script>alert(1)</script><b a='`,
  `' hx-get=/pwned hx-trigger=load x='`,
  `</title></svg></pre></textarea><script>alert(1)</script>`,
  `</hx-partial><hx-partial hx-target="#main" hx-swap="innerHTML">pwned</hx-partial>`,
  `<template hx type=partial hx-target=body>x</template>`,
  "\u202egnp.exe\u2066",
];
const everything = payloads.join("\n");
const prompt = payloads.filter(isSendable).join("\n");

/** Elements and attributes that don't belong to us. */
async function strangers(html: string): Promise<string[]> {
  const found: string[] = [];
  const rewriter = new HTMLRewriter().on("*", {
    element({ tagName, attributes }) {
      if (!ownElements.has(tagName)) found.push(`<${tagName}>`);
      for (const [name = "", value = ""] of attributes) {
        const isPath = !["href", "action", "src"].includes(name) || /^(\/(?!\/)|#|$)/.test(value);
        const isHtmx = name.startsWith("hx-") && !/^hx-(post|target|swap|disable)$/.test(name);
        if (/^on|^style$/.test(name) || isHtmx || !isPath)
          found.push(`${tagName} ${name}=${value.slice(0, 80)}`);
      }
    },
  });
  await rewriter.transform(new Response(html)).text();
  return found;
}

const hostileEvents: RunEventBody[] = [
  { type: "session", cliSessionId: everything, model: everything },
  { type: "thinking", text: everything },
  { type: "text", block: 0, text: everything },
  ...payloads.flatMap((text): RunEventBody[] => [
    { type: "tool.started", toolId: text, name: text, input: { command: text, [text]: text } },
    { type: "tool.finished", toolId: text, isError: true, output: text },
    { type: "notice", code: "cli_warning", message: text },
  ]),
  {
    type: "tool.started",
    toolId: "edit",
    name: "Edit",
    input: { file_path: everything, old_string: everything, new_string: "x" },
  },
];

describe("hostile text in a run", () => {
  test("is text on its page, wherever it stands, and on the pages of its tool calls", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({
      prompt,
      events: hostileEvents,
      end: {
        state: "failed",
        error: { code: "cli_error", message: everything },
        content: everything,
        note: { model: everything, cliVersion: everything },
        toolNames: payloads,
        anomalies: payloads.map((code) => ({ code, count: 1 })),
        signal: everything,
      },
    });
    const log = stage.openLog(run.id);
    log.line(everything);
    await log.close();

    const pages = ["", "?type=text", "?type=tools", "?type=notices", "?after=0", "/tools/edit"].map((rest) =>
      stage.page(`/runs/${run.id}${rest}`),
    );
    const ofCalls = payloads
      .filter((text) => text.isWellFormed())
      .map(async (text) => {
        const answer = await stage.request(`/runs/${run.id}/tools/${encodeURIComponent(text)}`);
        return answer.text();
      });

    for (const html of await Promise.all([...pages, ...ofCalls])) {
      expect(await strangers(html)).toEqual([]);
      expect(html.match(/<script/g)).toHaveLength(2);
    }
    expect(await pages[0]).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  });

  test("is text in what a page gets while the run goes on", async () => {
    await using stage = await openRunStage();
    const run = await stage.record({ prompt, events: [{ type: "text", block: 0, text: "so " }] });
    const log = stage.openLog(run.id);
    let html = "";
    const view = stage.openView(run.id, "", () => undefined);
    const reader = await openReader(stage, `/runs/${run.id}`);

    html += (await view.update()).html;
    log.line(everything);
    await log.close();
    await stage.store.append(run.id, 1, hostileEvents.slice(-150), 1_800_000_000_100);
    stage.dependencies.wakeups.announce({ runId: run.id, agentId: "ada" });
    html += (await view.update()).html;
    await reader.look(true);

    expect(await strangers(html)).toEqual([]);
    expect(html).not.toContain("<script");
    expect(html).toContain("&lt;/hx-partial&gt;");
    expect([...reader.rows.keys()].at(-1)).toBe("153");
    for (const opened of [view, reader]) opened.close();
  });
});
