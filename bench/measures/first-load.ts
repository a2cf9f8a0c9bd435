import { atMost, type Figure } from "../figures.ts";
import { rssMbOf } from "../machine.ts";
import { openArena, type Stage } from "../stage.ts";

const scriptsGzAimKb = 30;
const ownScriptAimKb = 8;
const rssAimMb = 100;
const vendored = "/assets/vendor/";

type Kind = "html" | "css" | "js";

interface Loaded {
  kind: Kind;
  path: string;
  bytes: number;
  /** As it comes over the wire to a browser. */
  sentBytes: number;
}

/** What a browser loads for an agent's page the first time, and the server's memory after rendering it. */
export async function measureFirstLoad(stage: Stage): Promise<Figure[]> {
  const arena = await openArena(stage, { agents: 1, cli: "demo" });
  const { server } = arena;
  await arena.execute("agent-1", "Show me some Markdown, please, with code.");
  const cookie = await logIn(server.url, server.token);
  const page = await load(server.url, "/agents/agent-1", "html", cookie);
  const rssMb = rssMbOf(server.pid);
  const assets = await Promise.all(
    linksIn(page.text).map(({ kind, path }) => load(server.url, path, kind, cookie)),
  );
  const all: Loaded[] = [page, ...assets];
  return [
    ...(["html", "css", "js"] as const).map((kind) => sizeFigure(kind, all)),
    ownScript(all),
    {
      name: "RSS after the first rendered answer",
      unit: "MB",
      headway: { p50: rssMb, p99: null },
      floor: null,
      judged: atMost(rssMb, rssAimMb, "MB"),
      note: "agent's page with a demo answer in it, opened in a browser's way",
    },
  ];
}

function sizeFigure(kind: Kind, all: readonly Loaded[]): Figure {
  const some = all.filter((loaded) => loaded.kind === kind);
  const kb = (bytes: "bytes" | "sentBytes") => some.reduce((sum, loaded) => sum + loaded[bytes], 0) / 1024;
  const judged = kind === "js" ? atMost(kb("sentBytes"), scriptsGzAimKb, "KB gz") : null;
  const note = `${some.length} file${some.length === 1 ? "" : "s"}, ${kb("sentBytes").toFixed(1)} KB as sent`;
  return { name: `first load, ${kind}`, unit: "KB", headway: only(kb("bytes")), floor: null, judged, note };
}

function ownScript(all: readonly Loaded[]): Figure {
  const own = all.filter(({ kind, path }) => kind === "js" && !path.startsWith(vendored));
  const kb = own.reduce((sum, { bytes }) => sum + bytes, 0) / 1024;
  const judged = atMost(kb, ownScriptAimKb, "KB");
  return { name: "first load, our own js", unit: "KB", headway: only(kb), floor: null, judged, note: "raw" };
}

function only(value: number) {
  return { p50: value, p99: null };
}

async function logIn(url: string, token: string): Promise<string> {
  const response = await fetch(`${url}/login`, {
    method: "POST",
    redirect: "manual",
    headers: { origin: url },
    body: new URLSearchParams({ token, next: "/" }),
  });
  const cookie = response.headers.get("set-cookie")?.split(";")[0];
  if (response.status !== 303 || cookie === undefined) throw new Error(`/login answered ${response.status}`);
  return cookie;
}

async function load(url: string, path: string, kind: Kind, cookie: string) {
  const headers = { cookie, accept: "text/html,*/*", "accept-encoding": "gzip" };
  const response = await fetch(new URL(path, url), { headers, decompress: false });
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
  const sent = new Uint8Array(await response.arrayBuffer());
  const whole = response.headers.get("content-encoding") === "gzip" ? Bun.gunzipSync(sent) : sent;
  const text = new TextDecoder().decode(whole);
  return { kind, path, bytes: whole.length, sentBytes: sent.length, text };
}

/** Style sheets and scripts that a document names. */
function linksIn(html: string): { kind: Kind; path: string }[] {
  const scripts = [...html.matchAll(/<script[^>]+src="([^"]+)"/g)].map(([, path = ""]) => ({
    kind: "js" as const,
    path,
  }));
  const sheets = [...html.matchAll(/<link[^>]+href="([^"]+\.css[^"]*)"/g)].map(([, path = ""]) => ({
    kind: "css" as const,
    path,
  }));
  return [...scripts, ...sheets];
}
