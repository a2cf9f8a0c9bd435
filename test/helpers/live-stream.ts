import { type Fetch, openEvents } from "./http.ts";

/** One change of one tab, as `GET /live` sends it. */
export interface LiveFrame {
  tab: string;
  html: string;
  cursor: string;
  news: { agentId: string; runId: string; state: string }[];
  gone: boolean;
}

/** What a page follows, and how far it has come. */
export interface Following {
  view: string;
  cursor: string;
}

/** A browser's stream with its tabs, from the outside. */
export interface LiveStream extends AsyncDisposable {
  /** Its name, under which tabs are added and removed. */
  readonly id: string;
  follow(tab: string, following: Following): Promise<Response>;
  leave(tab: string): Promise<Response>;
  /** Frames up to the first one that the condition holds for. */
  until(isLast: (frame: LiveFrame) => boolean): Promise<LiveFrame[]>;
}

/** Reads from a page itself what its script would follow. */
export async function followingOf(fetch: Fetch, path: string): Promise<Following> {
  const html = await (await fetch(path)).text();
  const [, view = "", cursor = ""] = /data-view="([^"]*)" data-cursor="([^"]*)"/.exec(html) ?? [];
  return { view, cursor };
}

/** Opens the stream with tabs called "0", "1" and so on. */
export async function openLiveStream(fetch: Fetch, tabs: readonly Following[]): Promise<LiveStream> {
  const query = new URLSearchParams();
  for (const [index, { view, cursor }] of tabs.entries()) {
    query.append("tab", `${index}`);
    query.append("view", view);
    query.append("cursor", cursor);
  }
  const events = await openEvents(fetch, `/live?${query}`);
  const frames = events[Symbol.asyncIterator]();
  const hello = await frames.next();
  const id = hello.value?.data ?? "";
  const post = (fields: Record<string, string>) =>
    fetch(`/live/${id}`, { method: "POST", body: new URLSearchParams(fields) });
  return {
    id,
    follow: (tab, following) => post({ tab, ...following }),
    leave: (tab) => post({ tab }),
    async until(isLast) {
      const seen: LiveFrame[] = [];
      for (;;) {
        const { done, value } = await frames.next();
        if (done) throw new Error(`The stream ended after ${seen.length} frames.`);
        const frame = JSON.parse(value.data) as LiveFrame;
        seen.push(frame);
        if (isLast(frame)) return seen;
      }
    },
    [Symbol.asyncDispose]: () => events[Symbol.asyncDispose](),
  };
}

/** How many streams the server has open; a page that is live has one, sooner or later. */
export async function countStreams(fetch: Fetch): Promise<number> {
  const metrics = await (await fetch("/metrics")).text();
  return Number(/^headway_streams_open (\d+)$/m.exec(metrics)?.[1]);
}
