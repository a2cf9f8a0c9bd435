import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import type { RouteEnvironment } from "./environment.ts";
import { problem } from "./problem.ts";

export const loginCookie = "headway_login";

/** Idle time after which a login ends. */
export const loginIdleMs = 12 * 3_600_000;

/** The hosts and origins under which this server is itself. */
export interface OwnNames {
  /** Exact values of the Host header → the origins of pages served under it. */
  readonly origins: ReadonlyMap<string, readonly string[]>;
}

/**
 * The names of a server that is bound to this address. A browser leaves the default port of a scheme out
 * of Host and Origin, so both forms of such a name count.
 */
export function ownNames(bound: { host: string; port: number }, publicUrls: readonly string[]): OwnNames {
  const origins = new Map<string, string[]>();
  const add = (host: string, origin: string) => origins.set(host, [...(origins.get(host) ?? []), origin]);
  for (const name of new Set(["127.0.0.1", "localhost", "[::1]", bracketed(bound.host)])) {
    const origin = new URL(`http://${name}:${bound.port}`).origin;
    add(`${name}:${bound.port}`, origin);
    if (bound.port === 80) add(name, origin);
  }
  for (const url of publicUrls.map((text) => new URL(text))) {
    add(url.host, url.origin);
    if (url.port === "") add(`${url.host}:${url.protocol === "https:" ? 443 : 80}`, url.origin);
  }
  return { origins };
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/**
 * Before any route, on every method: a foreign Host is DNS rebinding, a foreign Origin another site's
 * page. Neither is let through for a right token, because a browser would send that along.
 */
export function requireOwnNames(names: () => OwnNames): MiddlewareHandler<RouteEnvironment> {
  return async (c, next) => {
    const host = c.req.header("host") ?? "";
    const origins = names().origins.get(host);
    if (!origins)
      return problem(c, "forbidden_host", { detail: "The Host header names no address of this server." });
    if (isForeign(c, origins)) {
      return problem(c, "forbidden_origin", { detail: "The request comes from a page of another site." });
    }
    return next();
  };
}

function isForeign(c: Context, origins: readonly string[]): boolean {
  const origin = c.req.header("origin");
  if (origin !== undefined && !origins.includes(origin)) return true;
  return c.req.header("sec-fetch-site") === "cross-site" && !isTopLevelNavigation(c);
}

function isTopLevelNavigation(c: Context): boolean {
  return (
    c.req.method === "GET" &&
    c.req.header("sec-fetch-mode") === "navigate" &&
    c.req.header("sec-fetch-dest") === "document"
  );
}

export interface AccessOptions {
  token: string;
  /** Paths that need neither token nor login. */
  isOpen(method: string, pathname: string): boolean;
  /** True when the cookie's value is a login that counts. */
  useLogin(secret: string): boolean;
}

/** Lets in who has the token or a login; a cookie alone is not enough for what changes something. */
export function requireAccess(options: AccessOptions): MiddlewareHandler<RouteEnvironment> {
  return async (c, next) => {
    const access = accessOf(c, options);
    if (access === "none") return turnAway(c);
    if (access === "login" && isUnsafe(c.req.method) && !isFromOwnPage(c)) {
      return problem(c, "forbidden_origin", { detail: "A login can change things from our own pages only." });
    }
    c.set("access", access);
    return next();
  };
}

function accessOf(c: Context, options: AccessOptions): "token" | "login" | "open" | "none" {
  const bearer = bearerOf(c);
  if (bearer !== null) return equalsInConstantTime(bearer, options.token) ? "token" : openOrNone(c, options);
  const secret = getCookie(c, loginCookie);
  if (secret !== undefined && options.useLogin(secret)) return "login";
  return openOrNone(c, options);
}

function openOrNone(c: Context, options: AccessOptions): "open" | "none" {
  return options.isOpen(c.req.method, c.req.path) ? "open" : "none";
}

function bearerOf(c: Context): string | null {
  const header = c.req.header("authorization");
  const match = header === undefined ? null : /^Bearer +(\S+) *$/i.exec(header);
  return match?.[1] ?? null;
}

/** Takes as long for a wrong character at the start as for one at the end. */
export function equalsInConstantTime(given: string, wanted: string): boolean {
  let difference = given.length ^ wanted.length;
  for (let at = 0; at < given.length; at++)
    difference |= given.charCodeAt(at) ^ wanted.charCodeAt(at % wanted.length);
  return difference === 0;
}

function isUnsafe(method: string): boolean {
  return method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
}

/** A foreign Origin has been refused before, so any Origin that is there is ours. */
function isFromOwnPage(c: Context): boolean {
  return c.req.header("origin") !== undefined || c.req.header("sec-fetch-site") === "same-origin";
}

/** People are sent to the login page, those who use htmx by way of the page they are on; programs are told. */
function turnAway(c: Context): Response {
  const isHtmx = c.req.header("hx-request") === "true";
  const wantsPage = !isHtmx && c.req.method === "GET" && (c.req.header("accept") ?? "").includes("text/html");
  if (wantsPage && !c.req.path.startsWith("/api")) {
    const { pathname, search } = new URL(c.req.url);
    return c.redirect(`/login?next=${encodeURIComponent(pathname + search)}`, 303);
  }
  if (isHtmx) c.header("HX-Refresh", "true");
  c.header("WWW-Authenticate", 'Bearer realm="headway"');
  return problem(c, "unauthorized", {
    detail: "Send Authorization: Bearer with the server's token, or log in at /login.",
  });
}
