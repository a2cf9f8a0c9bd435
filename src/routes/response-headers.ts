import type { MiddlewareHandler } from "hono";
import type { PublishFact } from "../domain/facts.ts";
import type { Clock } from "../domain/clock.ts";
import { routePath } from "hono/route";
import type { RouteEnvironment } from "./environment.ts";

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const securityHeaders: readonly (readonly [string, string])[] = [
  ["Content-Security-Policy", contentSecurityPolicy],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Referrer-Policy", "same-origin"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
];

const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

const requestIdPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** Names each request, keeps what answers it out of caches and frames, and reports how it went. */
export function describeResponses(options: {
  makeRequestId(): string;
  clock: Clock;
  publish: PublishFact;
}): MiddlewareHandler<RouteEnvironment> {
  return async (c, next) => {
    const begunMs = options.clock.monotonicMs();
    const given = c.req.header("x-request-id") ?? "";
    const requestId = requestIdPattern.test(given) ? given : options.makeRequestId();
    c.set("requestId", requestId);
    await next();
    const { headers } = c.res;
    headers.set("X-Request-Id", requestId);
    for (const [name, value] of securityHeaders) headers.set(name, value);
    if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
    const tookMs = options.clock.monotonicMs() - begunMs;
    // A method may be any word; a label may not.
    const method = knownMethods.has(c.req.method) ? c.req.method : "other";
    options.publish({ type: "request.done", method, route: routePath(c, -1), status: c.res.status, tookMs });
  };
}
