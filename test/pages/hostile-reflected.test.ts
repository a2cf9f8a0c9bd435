import { expect, test } from "bun:test";
import { startApp, type TestApp } from "../helpers/test-app.ts";
import { ownElements } from "./hostile-audit.ts";
import { payloads } from "./hostile-stage.ts";

/** Addresses that say something which the page may say back. */
const pathsWith: readonly ((text: string) => string)[] = [
  (text) => `/login?next=${text}`,
  (text) => `/login?nonce=${text}`,
  (text) => `/conversations?q=${text}`,
  (text) => `/conversations?agent=${text}&cli=${text}&state=${text}&from=${text}&to=${text}&cursor=${text}`,
  (text) => `/conversations/${text}`,
  (text) => `/agents/${text}`,
  (text) => `/agents/parrot?problem=${text}`,
  (text) => `/agents/new?id=${text}&cli=${text}`,
  (text) => `/agents/parrot/settings?saved=${text}`,
  (text) => `/runs/${text}`,
  (text) => `/runs/RUN?type=${text}&after=${text}`,
  (text) => `/runs/RUN/tools/${text}`,
  (text) => `/fragments/folders?folder=${text}`,
  (text) => `/?cursor=${text}`,
  (text) => `/health?checked=${text}&left=${text}`,
  (text) => `/health?checked=parrot&left=${text}`,
];

/** Fields of forms that come back with what was typed. */
const forms: readonly [path: string, fields: readonly string[]][] = [
  [
    "/agents",
    [
      "id",
      "cli",
      "newFolder",
      "folder",
      "model",
      "systemPrompt",
      "timeout",
      "memoryLimit",
      "mcpConfigPath",
      "metadata",
    ],
  ],
  ["/agents/parrot/settings", ["folder", "model", "timeout", "memoryLimit", "mcpConfigPath", "metadata"]],
  ["/login", ["token", "next"]],
  ["/agents/parrot/turns", ["conversationId", "prompt"]],
  ["/agents/parrot/breaker/reset", ["from"]],
  ["/agents/parrot/quarantine/recheck", ["from"]],
];

const own = new Set(ownElements.split(" "));

/** Elements and attributes of an answer that aren't ours. */
async function strangers(answer: Response): Promise<string[]> {
  const found: string[] = [];
  const location = answer.headers.get("location") ?? "/";
  if (!/^\/(?![/\\])/.test(location)) found.push(`location ${location}`);
  if (!answer.headers.get("content-type")?.startsWith("text/html")) return found;
  const rewriter = new HTMLRewriter().on("*", {
    element({ tagName, attributes }) {
      if (!own.has(tagName)) found.push(`<${tagName}>`);
      for (const [name = "", value = ""] of attributes) {
        const isLink = ["href", "action", "src", "hx-get", "hx-post"].includes(name);
        const leadsAway = isLink && !/^(?:\/(?![/\\])|#|$)/.test(value);
        if (leadsAway || /^(?:on|style$|data-hx|hx-on)/.test(name))
          found.push(`<${tagName} ${name}=${value}>`);
      }
    },
  });
  await rewriter.transform(answer).text();
  return found;
}

async function openParrot(): Promise<{ app: TestApp; runId: string }> {
  const app = await startApp();
  await app.makeAgent({ id: "parrot" });
  const { id } = await app.run("parrot", "hello");
  return { app, runId: id };
}

test("what an address says is said back as text, or not at all", async () => {
  const { app, runId } = await openParrot();
  await using _ = app;
  const found: Record<string, string[]> = {};

  for (const payload of payloads) {
    for (const pathWith of pathsWith) {
      const path = pathWith(encodeURIComponent(payload.toWellFormed())).replace("RUN", runId);
      const strange = await strangers(await app.fetch(path, { headers: { accept: "text/html" } }));
      if (strange.length > 0) found[path] = strange;
    }
  }

  expect(found).toEqual({});
}, 60_000);

test("what a form sends comes back as text, or not at all", async () => {
  const { app } = await openParrot();
  await using _ = app;
  const found: Record<string, string[]> = {};
  let timesBack = 0;

  for (const payload of payloads) {
    for (const [path, fields] of forms) {
      const body = new URLSearchParams(fields.map((field) => [field, payload]));
      const answer = await app.fetch(path, { method: "POST", body, headers: { accept: "text/html" } });
      if ((await answer.clone().text()).includes("&lt;script&gt;")) timesBack++;
      const strange = await strangers(answer);
      if (strange.length > 0) found[`${path} ${payload}`] = strange;
    }
  }

  expect(found).toEqual({});
  expect(timesBack).toBeGreaterThan(10);
}, 60_000);
