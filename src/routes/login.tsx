import type { Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Clock } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import type { Logins } from "../domain/login.ts";
import type { Frame } from "../views/layout.tsx";
import { LoginPage } from "../views/login.tsx";
import { equalsInConstantTime, loginCookie, loginIdleMs } from "./access.ts";
import { sendDocument } from "./document.ts";
import type { RouteEnvironment } from "./environment.ts";
import type { EventStreams } from "./event-stream.ts";
import { problem } from "./problem.ts";

/** Wrong tries of one address within the window; more are refused until it has passed. */
const wrongTriesMax = 10;
const wrongTriesWindowMs = 60_000;
/** Addresses remembered; the oldest is forgotten first. */
const addressesMax = 1_000;

/** How long a browser keeps the cookie; the login itself ends by its idle time. */
const cookieSeconds = 30 * 86_400;

export interface LoginDeps {
  logins: Logins;
  streams: EventStreams;
  token: string;
  /** True once, for the nonce that was printed at the start. */
  redeemNonce(nonce: string): boolean;
  hash(text: string): string;
  makeSecret(): string;
  clock: Clock;
  publish: PublishFact;
  frame(): Frame;
  isHttps(host: string): boolean;
}

/** The ways in and out for browsers. */
export function addLoginRoutes(app: Hono<RouteEnvironment>, deps: LoginDeps): void {
  const tries = createTries(deps.clock);
  app.get("/login", async (c) => {
    const nonce = c.req.query("nonce");
    const next = ownPath(c.req.query("next"));
    // Programs that show a link's preview look with HEAD; that must not use it up.
    if (nonce === undefined || c.req.method === "HEAD") return showForm(c, deps, next, null, 200);
    const address = addressOf(c);
    if (tries.areTooMany(address)) return refuseTries(c);
    if (deps.redeemNonce(nonce)) return logIn(c, deps, next);
    tries.note(address);
    deps.publish({ type: "login.refused" });
    return showForm(
      c,
      deps,
      next,
      "This link was used, or is older than ten minutes. Log in with the token.",
      401,
    );
  });
  app.post("/login", async (c) => {
    const form = await c.req.parseBody();
    const next = ownPath(typeof form.next === "string" ? form.next : undefined);
    const address = addressOf(c);
    if (tries.areTooMany(address)) return refuseTries(c);
    if (typeof form.token === "string" && equalsInConstantTime(form.token.trim(), deps.token))
      return logIn(c, deps, next);
    tries.note(address);
    deps.publish({ type: "login.refused" });
    return showForm(c, deps, next, "This is not the token of this server.", 401);
  });
  app.post("/logout", async (c) => {
    const secret = getCookie(c, loginCookie);
    if (secret) {
      await deps.logins.removeLogin(deps.hash(secret));
      deps.streams.closeOfLogin(secret);
    }
    deleteCookie(c, loginCookie, { path: "/" });
    return c.redirect("/login", 303);
  });
}

async function logIn(c: Context<RouteEnvironment>, deps: LoginDeps, next: string): Promise<Response> {
  const secret = deps.makeSecret();
  await deps.logins.createLogin({
    secretHash: deps.hash(secret),
    tokenHash: deps.hash(deps.token),
    atMs: deps.clock.wallMs(),
    idleMsMax: loginIdleMs,
  });
  deps.publish({ type: "login.made" });
  setCookie(c, loginCookie, secret, {
    httpOnly: true,
    sameSite: "Strict",
    path: "/",
    maxAge: cookieSeconds,
    secure: deps.isHttps(c.req.header("host") ?? ""),
  });
  return c.redirect(next, 303);
}

function showForm(
  c: Context<RouteEnvironment>,
  deps: LoginDeps,
  next: string,
  problemText: string | null,
  status: 200 | 401,
): Response | Promise<Response> {
  return sendDocument(c, <LoginPage frame={deps.frame()} next={next} problem={problemText} />, status);
}

function refuseTries(c: Context<RouteEnvironment>): Response {
  const detail = `There were ${wrongTriesMax} wrong tries within a minute; wait for one.`;
  return problem(c, "too_many_attempts", { detail, retryAfterSeconds: wrongTriesWindowMs / 1000 });
}

/** A path of ours, or the front page: never another site, however it is written. */
export function ownPath(next: string | undefined): string {
  if (next === undefined || !/^\/(?![/\\])[!-~]*$/.test(next) || next.includes("\\")) return "/";
  const { host, pathname, search } = new URL(next, "http://own.invalid");
  // "/.//there" resolves to "//there", which names a host.
  return host === "own.invalid" && !pathname.startsWith("//") ? pathname + search : "/";
}

function addressOf(c: Context<RouteEnvironment>): string {
  const peer = c.env?.peer ?? "";
  return peer.slice(0, Math.max(0, peer.lastIndexOf(":")));
}

function createTries(clock: Clock) {
  const byAddress = new Map<string, number[]>();
  const recent = (address: string) => {
    const sinceMs = clock.monotonicMs() - wrongTriesWindowMs;
    return (byAddress.get(address) ?? []).filter((atMs) => atMs > sinceMs);
  };
  return {
    areTooMany: (address: string) => recent(address).length >= wrongTriesMax,
    note(address: string) {
      const tries = [...recent(address), clock.monotonicMs()];
      byAddress.delete(address);
      byAddress.set(address, tries);
      const oldest = byAddress.keys().next().value;
      if (byAddress.size > addressesMax && oldest !== undefined) byAddress.delete(oldest);
    },
  };
}
