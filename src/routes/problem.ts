import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type ProblemCode, problems } from "../domain/error-codes.ts";
import type { Refusal } from "../runner/runner-api.ts";
import { escapeHtml } from "../views/escape-html.ts";

export interface ProblemDetails {
  detail: string;
  errors?: readonly { path: string; message: string }[];
  retryAfterSeconds?: number;
  /** Further members, a run's id say. */
  more?: Record<string, unknown>;
}

/** An error as RFC 9457 has it; `code` is from the closed table in domain/error-codes.ts. */
export function problem(c: Context, code: ProblemCode, details: ProblemDetails): Response {
  const { status, title } = problems[code];
  const { detail, errors, retryAfterSeconds, more } = details;
  const type = `/api/docs#problem-${code}`;
  const body = {
    type,
    title,
    status,
    detail,
    code,
    requestId: c.get("requestId") as string,
    errors,
    ...more,
  };
  if (retryAfterSeconds !== undefined) c.header("Retry-After", String(retryAfterSeconds));
  if (isForPage(c))
    return c.html(`<p class="problem">${escapeHtml(detail)}</p>`, status as ContentfulStatusCode);
  return c.body(JSON.stringify(body), status as ContentfulStatusCode, {
    "Content-Type": "application/problem+json",
  });
}

/** htmx puts what it gets into the page. */
function isForPage(c: Context): boolean {
  return c.req.header("hx-request") === "true" && !c.req.path.startsWith("/api/");
}

export function refused(c: Context, refusal: Refusal): Response {
  return problem(c, refusal.code, refusal);
}
