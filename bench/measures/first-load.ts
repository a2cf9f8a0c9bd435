import { atMost, type Figure } from "../figures.ts";
import { rssMbOf } from "../machine.ts";
import { openArena, type Stage } from "../stage.ts";
import { logIn, type Visit } from "../visitor.ts";

const scriptsGzAimKb = 30;
const altogetherGzAimKb = 30;
const ownScriptAimKb = 8;
const rssAimMb = 100;

const kinds = ["HTML", "CSS", "our own JS", "vendored JS", "images"] as const;
type Kind = (typeof kinds)[number];

interface Loaded extends Visit {
  kind: Kind;
}

/** What a browser loads for an agent's page the first time, and the server's memory after rendering it. */
export async function measureFirstLoad(stage: Stage): Promise<Figure[]> {
  const arena = await openArena(stage, { agents: 1, agent: { cli: "demo" } });
  const { server } = arena;
  await arena.execute("agent-1", "Show me some Markdown, please, with code.");
  const visitor = await logIn(server);
  const page = await visitor.get("/agents/agent-1");
  const rssMb = rssMbOf(server.pid);
  const assets = filesIn(page.text).map(async (path) => ({
    kind: kindOf(path),
    ...(await visitor.get(path)),
  }));
  const all: Loaded[] = [{ kind: "HTML", ...page }, ...(await Promise.all(assets))];
  const scripts = all.filter(({ kind }) => kind.endsWith("JS"));
  return [
    ...kinds.map((kind) => sizeFigure(kind, all)),
    altogether("first load, all JS", scripts, scriptsGzAimKb),
    altogether("first load, altogether", all, altogetherGzAimKb),
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
  const rawKb = kbOf(some, "bytes");
  const note = `${some.length} file${some.length === 1 ? "" : "s"}, ${kbOf(some, "sentBytes").toFixed(1)} KB as sent`;
  const judged = kind === "our own JS" ? atMost(rawKb, ownScriptAimKb, "KB") : null;
  return { name: `first load, ${kind}`, unit: "KB", headway: only(rawKb), floor: null, judged, note };
}

function altogether(name: string, some: readonly Loaded[], aimKb: number): Figure {
  const judged = atMost(kbOf(some, "sentBytes"), aimKb, "KB gz");
  return {
    name,
    unit: "KB",
    headway: only(kbOf(some, "bytes")),
    floor: null,
    judged,
    note: "judged as sent",
  };
}

function kbOf(some: readonly Loaded[], bytes: "bytes" | "sentBytes"): number {
  return some.reduce((sum, loaded) => sum + loaded[bytes], 0) / 1024;
}

function only(value: number) {
  return { p50: value, p99: null };
}

function kindOf(path: string): Kind {
  if (path.includes(".css")) return "CSS";
  if (!path.includes(".js")) return "images";
  return path.startsWith("/assets/vendor/") ? "vendored JS" : "our own JS";
}

/** What a browser fetches for a document: scripts, the worker, style sheets, and images that are shown. */
function filesIn(html: string): string[] {
  const attributes = /<(?:script|img)[^>]+?src="([^"]+)"|<link[^>]+?href="([^"]+)"|\bdata-live="([^"]+)"/g;
  const paths = [...html.matchAll(attributes)].map(([, src, href, worker]) => src ?? href ?? worker ?? "");
  return [...new Set(paths.filter((path) => path.startsWith("/assets/")))];
}
