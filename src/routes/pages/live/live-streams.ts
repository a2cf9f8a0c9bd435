import type { Hono } from "hono";
import { problems } from "../../../domain/error-codes.ts";
import type { RouteEnvironment } from "../../environment.ts";
import { type Bell, createBell, type FrameSource } from "../../event-stream.ts";
import { problem } from "../../problem.ts";
import type { LiveUpdate, LiveView, OpenLiveView } from "./live-view.ts";
import { type PageContext, readForm } from "../page-answers.tsx";
import type { PageDependencies } from "../page-dependencies.ts";

/** Tabs that one browser follows at once. */
const tabsMax = 64;
/** At most a dozen updates a second for a tab, and fewer when they are large (about 200 KB a second) or the tabs many. */
const restMsMin = 80;
const tabsAtFullRate = 2;
const restMsMax = 2_000;
const charsPerMs = 200;

/** A tab's own name for itself, what it shows, and how far. */
interface TabRequest {
  tab: string;
  view: string;
  cursor: string;
}

interface Tab {
  view: LiveView;
  isRung: boolean;
  /** Set while the tab has just got an update. */
  resting: Timer | null;
}

/** One browser's stream; tabs come and go while it is open. */
interface LiveStream {
  follow(request: TabRequest): "ok" | "full";
  leave(tab: string): void;
}

type Openers = Readonly<Record<string, OpenLiveView>>;

/**
 * `GET /live` is the one stream of a browser: it begins with the tabs that the query names, and
 * `POST /live/{stream}` adds and removes tabs. Frames are JSON: `{tab, html, cursor, news, gone}`.
 */
export function addLiveStreams(
  app: Hono<RouteEnvironment>,
  dependencies: PageDependencies,
  openers: Openers,
): void {
  const streams = new Map<string, LiveStream>();
  app.get("/live", (c) => {
    const id = dependencies.makeIdempotencyKey();
    return dependencies.sse(c, liveFrames({ id, openers, streams, requests: requestsOf(c) }));
  });
  app.post("/live/:stream", async (c) => {
    const stream = streams.get(c.req.param("stream"));
    if (stream === undefined) return problem(c, "not_found", { detail: "This stream has ended." });
    const { tab = "", view, cursor = "" } = await readForm(c);
    if (view === undefined) stream.leave(tab);
    else if (stream.follow({ tab, view, cursor }) === "full") return tooManyTabs(c);
    return c.body(null, 204);
  });
}

function tooManyTabs(c: PageContext): Response {
  const { title } = problems.too_many_streams;
  const detail = `${title}: one browser follows ${tabsMax} pages at once and no more.`;
  return problem(c, "too_many_streams", { detail, retryAfterSeconds: 10 });
}

/** The n-th `tab`, `view` and `cursor` belong together. */
function requestsOf(c: PageContext): TabRequest[] {
  const [tabs = [], views = [], cursors = []] = ["tab", "view", "cursor"].map((name) => c.req.queries(name));
  return tabs
    .slice(0, tabsMax)
    .map((tab, index) => ({ tab, view: views[index] ?? "", cursor: cursors[index] ?? "" }));
}

function liveFrames(options: {
  id: string;
  openers: Openers;
  streams: Map<string, LiveStream>;
  requests: readonly TabRequest[];
}): FrameSource {
  const { id, openers, streams, requests } = options;
  return async function* frames(signal) {
    const bell = createBell(signal);
    const tabs = createTabs(openers, bell);
    try {
      streams.set(id, tabs);
      for (const request of requests) tabs.follow(request);
      yield `event: hello\ndata: ${id}\n\n`;
      while (!signal.aborted) {
        const frame = await tabs.nextFrame();
        if (frame === null) await bell.wait();
        else if (frame !== "") yield frame;
      }
    } finally {
      streams.delete(id);
      tabs.close();
    }
  };
}

/** The tabs of one stream, each asked in its turn when something rang for it. */
function createTabs(openers: Openers, bell: Bell) {
  const tabs = new Map<string, Tab>();

  function letRest(tab: Tab, chars: number): void {
    const restMs = Math.min(restMsMax, Math.max(restMsMin * crowd(), chars / charsPerMs));
    tab.resting = setTimeout(() => {
      tab.resting = null;
      if (tab.isRung) bell.ring();
    }, restMs);
  }

  const crowd = () => Math.max(1, tabs.size / tabsAtFullRate);

  function leave(name: string): void {
    const tab = tabs.get(name);
    if (tab === undefined) return;
    tabs.delete(name);
    if (tab.resting !== null) clearTimeout(tab.resting);
    tab.view.close();
  }

  return {
    follow({ tab: name, view, cursor }: TabRequest): "ok" | "full" {
      leave(name);
      if (tabs.size >= tabsMax) return "full";
      const [kind = "", ...rest] = view.split("/");
      const open = Object.hasOwn(openers, kind) ? openers[kind] : undefined;
      const ring = () => {
        tab.isRung = true;
        if (tab.resting === null) bell.ring();
      };
      const opened = open === undefined ? nothingToFollow : open(rest.join("/"), cursor, ring);
      const tab: Tab = { view: opened, isRung: true, resting: null };
      tabs.set(name, tab);
      bell.ring();
      return "ok";
    },
    leave,
    /** The next frame; "" when the tab that was asked had nothing to say, null when none has to be asked. */
    async nextFrame(): Promise<string | null> {
      const due = [...tabs].find(([, tab]) => tab.isRung && tab.resting === null);
      if (due === undefined) return null;
      const [name, tab] = due;
      // To the end of the queue, so that a busy tab doesn't keep the others from their turn.
      tabs.delete(name);
      tabs.set(name, tab);
      tab.isRung = false;
      const update = await tab.view.update();
      if (tabs.get(name) !== tab) return "";
      letRest(tab, update.html.length);
      if (update.gone) leave(name);
      return frameOf(name, update);
    },
    close() {
      for (const name of tabs.keys()) leave(name);
    },
  };
}

function frameOf(tab: string, { html, cursor, news, gone }: LiveUpdate): string {
  if (html === "" && news.length === 0 && !gone) return "";
  return `data: ${JSON.stringify({ tab, html, cursor, news, gone })}\n\n`;
}

/** A view that this server doesn't know, of a page that another version made. */
const nothingToFollow: LiveView = {
  update: async () => ({ html: "", cursor: "", news: [], gone: true }),
  close: () => undefined,
};
