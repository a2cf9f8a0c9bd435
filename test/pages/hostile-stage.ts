import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import type { Run } from "../../src/domain/run.ts";
import { sendableMarkdown } from "../fixtures/hostile-markdown.ts";
import { watchForTrouble } from "../helpers/browser.ts";
import { expectJson } from "../helpers/http.ts";
import { startServer, type TestServer } from "../helpers/server-process.ts";
import { fakeClaude } from "../helpers/test-app.ts";

/** Beside Markdown: what may break out of attributes, of raw text, of a stream of events, of a line. */
const ownPayloads = [
  `"><script>alert(1)</script><b a='`,
  `' hx-get=/pwned hx-trigger=load x='`,
  `x onmouseover=alert(1) y=`,
  `--><img src=x onerror=alert(1)>`,
  `</title></svg></pre></textarea></style><script>alert(1)</script>`,
  `</hx-partial><hx-partial hx-target="#main" hx-swap="innerHTML">pwned</hx-partial>`,
  `<script type="module" src="/pwned"></script>`,
  `\r\n\r\nevent: hello\r\ndata: pwned\r\n\r\n`,
  `{{constructor.constructor('alert(1)')()}}`,
  `../../../../pwned?<script>alert(1)</script>`,
  `#composer, body { display: none }`,
  "\u202egnp.exe\u2066",
  "\u2028alert(1)\u2029",
  "\u001b]8;;javascript:alert(1)\u0007x\u001b]8;;\u0007",
];

/** What a prompt can hold; NUL is left to the test of the renderer. */
export const payloads: readonly string[] = [...sendableMarkdown, ...ownPayloads];

const hostileFolder = `"><img src=x onerror=alert(1)>`;
/** Each gives six parts of an answer, of which a page shows at most 300. */
const batchSize = 25;
const batches = Array.from({ length: Math.ceil(payloads.length / batchSize) }, (_, index) =>
  payloads.slice(index * batchSize, (index + 1) * batchSize),
);
/** A title has at most 80 characters. */
const titles = payloads.filter((payload) => payload.length < 80 && !/[\r\n]/.test(payload)).slice(0, 10);

/** A payload wherever a CLI may put one. */
function stepsOf(payload: string, index: number): object[] {
  const pieces = payload.match(/[\s\S]{1,7}/gu) ?? [payload];
  const warning = { type: "system", subtype: "informational", level: "warning", content: payload };
  return [
    { think: payload },
    { say: ["\n\n", ...pieces] },
    {
      tool: payload,
      id: payload,
      input: { command: payload, [payload]: payload },
      output: payload,
      isError: index % 2 === 0,
    },
    {
      tool: "Edit",
      input: { file_path: payload, old_string: `${payload}\nold`, new_string: `${payload}\n${payload}` },
      output: payload,
    },
    { tool: "Write", input: { file_path: payload, content: payload }, output: payload },
    { line: warning },
  ];
}

/** The last line of a prompt, by which the fake knows what to play; what stands before it is hostile too. */
const held = "play the held one";
const batchLine = (index: number) => `play batch ${index}`;
const titleLine = "play a title";
const failureLine = "play a failure";

function plays(): Record<string, object[]> {
  const model = payloads.join(" ").slice(0, 2_000);
  const session = { line: { type: "system", subtype: "init", model } };
  const failing = (batch: readonly string[]) => ({
    result: { is_error: true, terminal_reason: "api_error", result: batch.join(" ") },
  });
  return {
    [held]: [session, ...payloads.slice(-20).flatMap(stepsOf), { tool: payloads[0], input: payloads[1] }],
    [titleLine]: [{ say: "A title." }],
    [failureLine]: [failing(ownPayloads)],
    ...Object.fromEntries(
      batches.map((batch, index) => [batchLine(index), [session, ...batch.flatMap(stepsOf), failing(batch)]]),
    ),
  };
}

export interface HostileStage extends AsyncDisposable {
  server: TestServer;
  /** Has answered with all payloads, and failed each time. */
  ended: readonly Run[];
  /** Holds in the middle of a tool call, with messages waiting behind it. */
  live: Run;
  /** Asks for another answer like the ended ones; resolves when the run is accepted. */
  submit(): Promise<Run>;
}

/** A second agent, whose service has failed so often, with a payload, that its circuit breaker is open. */
async function openBreaker({ fetch }: TestServer, cwd: string): Promise<void> {
  await expectJson(fetch, 201, "POST", "/api/agents", { body: { id: "macaw", cli: "claude", cwd } });
  for (let run = 0; run < 5; run += 1) {
    await fetch("/api/agents/macaw/execute", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: failureLine }),
    });
  }
}

/** A server with an agent whose people and whose CLI say nothing but payloads. */
export async function openHostileStage(): Promise<HostileStage> {
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await startServer({ env: { HEADWAY_CLAUDE_PATH: fakeClaude } }));
  const cwd = join(dirname(server.workspace), hostileFolder);
  mkdirSync(cwd);
  writeFileSync(join(cwd, ".plays.json"), JSON.stringify(plays()));
  const metadata = Object.fromEntries(payloads.map((payload) => [payload.slice(0, 128), payload]));
  const systemPrompt = payloads.join("\n");
  await expectJson(server.fetch, 201, "POST", "/api/agents", {
    body: { id: "parrot", cli: "claude", cwd, metadata, systemPrompt, mcpConfigPath: null },
  });
  const execute = async (lines: readonly string[], prefer = "") => {
    const init = { method: "POST", headers: { "content-type": "application/json", prefer } };
    const body = JSON.stringify({ prompt: lines.join("\n") });
    return (await server.fetch("/api/agents/parrot/execute", { ...init, body })).json() as Promise<Run>;
  };
  for (const title of titles) {
    await execute([title, titleLine]);
    await server.fetch("/api/agents/parrot/end-session", { method: "POST" });
  }
  const ended: Run[] = [];
  for (const [index, batch] of batches.entries()) ended.push(await execute([...batch, batchLine(index)]));
  await server.fetch("/api/agents/parrot/breaker/reset", { method: "POST" });
  await openBreaker(server, cwd);
  const live = await execute([...payloads, held], "respond-async");
  for (const payload of payloads.slice(0, 3)) await execute([payload], "respond-async");
  const submit = () => execute([...payloads, batchLine(0)], "respond-async");
  const open = opening.move();
  return { server, ended, live, submit, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** What a payload would have the browser load from us. */
const theirs = /\/(?:pwned|logout|x|x\.\w+)$/;

/** A page that tells everything that it does and shouldn't. */
export async function openWatched(context: BrowserContext, { url }: TestServer): Promise<[Page, string[]]> {
  const page = await context.newPage();
  const trouble = watchForTrouble(page, url);
  page.on("request", (request) => {
    if (theirs.test(new URL(request.url()).pathname)) trouble.push(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      console.error(`policy: ${violatedDirective} ${blockedURI}`),
    );
  });
  return [page, trouble];
}
