import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { jsonInit, quickClaude, startApp, type TestApp } from "../helpers/test-app.ts";

let app: TestApp;
const idOf: Record<string, string> = {};

const page = async (path: string) => (await app.fetch(path)).text();
const fragment = (path: string) => app.fetch(path, { headers: { "hx-request": "true" } });
/** The conversations that an answer shows, by the names of `idOf`. */
const shownIn = (html: string) => {
  const ids = [...html.matchAll(/id="found-(conv_\w+)"/g)].map(([, id]) => id);
  return ids.map((id) => Object.keys(idOf).find((name) => idOf[name] === id));
};
const links = (html: string, text: string) =>
  [...html.matchAll(/<a[^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)]
    .filter(([, , shown]) => shown?.trim() === text)
    .map(([, href]) => href!.replaceAll("&amp;", "&"));

async function say(name: string, agentId: string, prompt: string): Promise<void> {
  idOf[name] = (await app.run(agentId, prompt)).conversationId;
}
const endSession = (agentId: string) => app.fetch(`/api/agents/${agentId}/end-session`, jsonInit("POST", {}));

beforeAll(async () => {
  app = await startApp({ env: { HEADWAY_CLAUDE_PATH: quickClaude } });
  await app.makeAgent({ id: "anna", metadata: { note: "<script>alert(1)</script>" } });
  await app.makeAgent({ id: "bert", cli: "demo" });
  await app.makeAgent({ id: "gone" });
});
afterAll(() => app[Symbol.asyncDispose]());

describe("the conversations, before there are any", () => {
  test("say so, and show no search", async () => {
    const html = await page("/conversations");

    expect(html).toContain("There are no conversations yet.");
    expect(html).not.toContain("<form id=");
  });

  test("are asked for in vain by a search, which says so", async () => {
    expect(await page("/conversations?q=fox")).toContain("No conversation has a turn with");
  });
});

describe("searching the conversations without scripts", () => {
  beforeAll(async () => {
    await say("fox", "anna", "The quick <b>foxglove</b> and fox & more\nOn a second line.");
    await endSession("anna");
    await say("hostile", "anna", `"><script>alert(1)</script> \u202egnp.exe fox`);
    await say("error", "bert", "make an error");
    await say("late", "gone", "the fox of one that is gone");
    await app.fetch("/api/agents/gone", { method: "DELETE" });
  });

  test("shows all, the one changed last first, with first lines", async () => {
    const html = await page("/conversations");

    expect(shownIn(html)).toEqual(["late", "error", "hostile", "fox"]);
    expect(html).toContain(">4 conversations</p>");
    expect(html).toContain('<p class="first-lines"><bdi>ok</bdi>');
    expect(html).not.toContain("<script>alert");
  });

  test("finds words, also an unfinished one, and leads to the turn", async () => {
    const html = await page("/conversations?q=quick+foxg");

    expect(shownIn(html)).toEqual(["fox"]);
    expect(html).toContain(
      "The <mark>quick</mark> &lt;b&gt;<mark>foxglove</mark>&lt;/b&gt; and fox &amp; more",
    );
    const [, path, turnId] = /href="([^"]*)#(turn_\w+)"/.exec(html) ?? [];
    expect(path).toBe(`/conversations/${idOf["fox"]}?at=1`);
    expect(await page(path!)).toContain(`id="${turnId}"`);
  });

  test.each([
    ["agent=anna", ["hostile", "fox"]],
    ["agent=gone", ["late"]],
    ["agent=nobody", []],
    ["cli=demo", ["error"]],
    ["state=failed", ["error"]],
    ["state=active", ["error", "hostile"]],
    ["state=ended", ["late", "fox"]],
    ["state=running", []],
    ["from=2000-01-01&to=2999-12-31", ["late", "error", "hostile", "fox"]],
    ["to=2000-01-01", []],
    ["q=fox&agent=anna&state=ended", ["fox"]],
  ])("narrows down by %s", async (query, names) => {
    const html = await page(`/conversations?${query}`);

    expect(shownIn(html)).toEqual(names);
  });

  test("shows the form as it was sent, and each filter with the way to be rid of it", async () => {
    const html = await page("/conversations?q=a%22b&agent=anna&cli=&state=ended&from=2026-01-02&to=");

    expect(html).toContain('value="a&quot;b"');
    expect(html).toContain('<option value="anna" selected="">');
    expect(html).toContain('<option value="ended" selected="">');
    expect(html).toContain('value="2026-01-02"');
    expect(html).toContain('href="/conversations?q=a%22b&amp;state=ended&amp;from=2026-01-02"');
    expect(html).toContain("Both days count, from midnight to midnight UTC.");
  });

  test("answers a mistake with the whole form, the problem beside its field, and no search", async () => {
    const answer = await app.fetch("/conversations?q=fox&agent=anna&from=2026-11-22&to=2026-11-20");

    const html = await answer.text();
    expect(answer.status).toBe(422);
    expect(html).toContain('<details class="filters" open="">');
    expect(html).toMatch(/id="field-to"[^>]*aria-invalid="true"/);
    expect(html).toContain('id="field-to-problem"><p class="problem">The last day is before the first.</p>');
    expect(html).toContain('value="fox"');
    expect(html).toContain('<option value="anna" selected="">');
    expect(shownIn(html)).toEqual([]);
  });

  test("takes what nobody would send for what it is", async () => {
    const queries = [`q=${"x".repeat(2_000)}`, "agent=%3Cscript%3E", "cli=toString", "state=%00", "q=%ff%00"];

    const answers = await Promise.all(queries.map((query) => app.fetch(`/conversations?${query}`)));

    expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 422, 200]);
    for (const answer of answers) expect(await answer.text()).not.toContain("<script>");
  });

  test("keeps working for an agent of which only the name is left", async () => {
    const html = await page("/conversations?agent=gone");

    expect(html).toContain('<option value="gone" selected="">');
    expect(html).toContain('<a href="/conversations?agent=gone">gone</a> (deleted)');
  });
});

describe("a search by htmx", () => {
  test("is answered with what was found alone, and with the address that asks for it", async () => {
    const answer = await fragment("/conversations?q=fox&agent=&cli=&state=&from=&to=");

    const html = await answer.text();
    expect(answer.headers.get("hx-replace-url")).toBe("/conversations?q=fox");
    expect(html).not.toContain("<html");
    expect(html).not.toContain("<form");
    expect(shownIn(html)).toEqual(["late", "hostile", "fox"]);
    expect(html).toContain('<p id="found-count" class="hint" role="status">3 conversations</p>');
  });

  test("with a mistake tells the form of it", async () => {
    const answer = await fragment("/conversations?from=2026-11-22&to=2026-11-20");

    const html = await answer.text();
    expect(answer.status).toBe(422);
    expect(html).toContain('hx-target="#field-to-problem" hx-swap="innerHTML"><p class="problem">');
    expect(html).toContain("Nothing was searched: The last day is before the first.");
  });
});

describe("many conversations", () => {
  beforeAll(async () => {
    await endSession("anna");
    for (let n = 1; n <= 22; n++) {
      await say(`many-${n}`, "anna", `badger number ${n}`);
      await endSession("anna");
    }
  }, 60_000);

  test("come in pages that keep the search, and lead back", async () => {
    const first = await page("/conversations?q=badger&agent=anna");
    const [more] = links(first, "More");
    const second = await page(more!);

    expect(shownIn(first)).toHaveLength(20);
    expect(first).toContain("More than 20 conversations");
    expect(shownIn(second)).toEqual(["many-2", "many-1"]);
    expect(second).toContain("2 further conversations");
    expect(links(second, "Back to the newest")).toEqual(["/conversations?q=badger&agent=anna"]);
    expect(links(second, "More")).toEqual([]);
  });

  test("are added by htmx to those that are shown", async () => {
    const [more] = links(await page("/conversations?q=badger"), "More");

    const html = await (await fragment(more!)).text();

    expect(shownIn(html)).toEqual(["many-2", "many-1"]);
    expect(html).toStartWith("<li");
    expect(html).toContain('hx-target="#found-count" hx-swap="textContent">2 further conversations below');
  });

  test("with a cursor that isn't ours begin anew", async () => {
    expect(shownIn(await page("/conversations?q=badger&cursor=nonsense"))).toHaveLength(20);
  });
});
