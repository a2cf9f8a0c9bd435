import type { TestServer } from "../test/helpers/server-process.ts";

/** One answer, taken as a browser takes it. */
export interface Visit {
  /** From the request to the last byte. */
  tookMs: number;
  bytes: number;
  /** As it came over the wire. */
  sentBytes: number;
  text: string;
}

/** A reader who is logged in, on a connection that is kept. */
export interface Visitor {
  /** Throws unless the answer is 200. */
  get(path: string, headers?: Record<string, string>): Promise<Visit>;
}

export async function logIn({ url, token }: TestServer): Promise<Visitor> {
  const response = await fetch(`${url}/login`, {
    method: "POST",
    redirect: "manual",
    headers: { origin: url },
    body: new URLSearchParams({ token, next: "/" }),
  });
  const cookie = response.headers.get("set-cookie")?.split(";")[0];
  if (response.status !== 303 || cookie === undefined) throw new Error(`/login answered ${response.status}`);
  return { get: (path, headers = {}) => visit(new URL(path, url), { cookie, ...headers }) };
}

async function visit(url: URL, given: Record<string, string>): Promise<Visit> {
  const headers = { accept: "text/html,*/*", "accept-encoding": "gzip", ...given };
  const begunMs = performance.now();
  const response = await fetch(url, { headers, decompress: false });
  const sent = new Uint8Array(await response.arrayBuffer());
  const tookMs = performance.now() - begunMs;
  if (response.status !== 200) throw new Error(`${url.pathname} answered ${response.status}`);
  const whole = response.headers.get("content-encoding") === "gzip" ? Bun.gunzipSync(sent) : sent;
  return { tookMs, bytes: whole.length, sentBytes: sent.length, text: new TextDecoder().decode(whole) };
}
