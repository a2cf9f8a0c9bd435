import type { Context } from "hono";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type ProblemCode, problems } from "../../domain/error-codes.ts";
import type { Refusal } from "../../runner/runner-api.ts";
import { ErrorPage } from "../../views/error-page.tsx";
import { Problem } from "../../views/forms.tsx";
import { renderHtml } from "../../views/render.ts";
import { sendDocument } from "../document.ts";
import type { RouteEnvironment } from "../environment.ts";
import { frameOf, type PageDependencies } from "./page-dependencies.ts";

export type PageContext = Context<RouteEnvironment>;

export function statusOf(code: ProblemCode): ContentfulStatusCode {
  return problems[code].status;
}

/** True when htmx asks: it wants a piece of a page, or nothing at all, rather than a page. */
export function wantsFragment(c: PageContext): boolean {
  return c.req.header("hx-request") === "true";
}

export function showPage(c: PageContext, page: JSX.Element, status: ContentfulStatusCode = 200): Response {
  return sendDocument(c, page, status);
}

/**
 * After an action: nothing for htmx, whose stream brings what has changed; else the page to look at. The
 * reading view of a conversation and the board's page of older agents have no stream, and so are left.
 */
export function showDone(c: PageContext, nextPath: string): Response {
  if (!wantsFragment(c)) return c.redirect(nextPath, 303);
  const here = URL.parse(c.req.header("hx-current-url") ?? "");
  const standsStill = here?.pathname.startsWith("/conversations/") || here?.searchParams.has("cursor");
  if (standsStill) c.header("HX-Redirect", nextPath);
  return c.body(null, 204);
}

/** What the answer of a refusal has, whatever else stands on it; when to come again is set here. */
export function statusOfRefusal(
  c: PageContext,
  { code, retryAfterSeconds }: Pick<Refusal, "code" | "retryAfterSeconds">,
): ContentfulStatusCode {
  if (retryAfterSeconds !== undefined) c.header("Retry-After", String(retryAfterSeconds));
  return statusOf(code);
}

export function showRefusal(
  c: PageContext,
  dependencies: PageDependencies,
  refusal: Pick<Refusal, "code" | "detail" | "retryAfterSeconds">,
): Response {
  const { code, detail } = refusal;
  const status = statusOfRefusal(c, refusal);
  if (wantsFragment(c)) return c.html(renderHtml(<Problem message={detail} />), status);
  const { title } = problems[code];
  const page = <ErrorPage frame={frameOf(dependencies)} status={status} title={title} detail={detail} />;
  return showPage(c, page, status);
}

/** The values of a form as texts, line ends as everywhere else; files and repeated fields are left out. */
export async function readForm(c: PageContext): Promise<Record<string, string>> {
  const body = await c.req.parseBody();
  const texts = Object.entries(body).filter(
    (field): field is [string, string] => typeof field[1] === "string",
  );
  return Object.fromEntries(texts.map(([name, value]) => [name, value.replaceAll("\r\n", "\n")]));
}
