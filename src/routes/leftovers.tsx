import type { Context, Hono } from "hono";
import { type ProblemCode, problems } from "../domain/error-codes.ts";
import type { PublishFact } from "../domain/facts.ts";
import { ErrorPage } from "../views/error-page.tsx";
import type { Frame } from "../views/layout.tsx";
import { sendDocument } from "./document.ts";
import type { RouteEnvironment } from "./environment.ts";
import { problem } from "./problem.ts";
import { methodsAt } from "./route-table.ts";

export interface LeftoverDeps {
  publish: PublishFact;
  frame(): Frame;
}

/** What no route answered, or failed to: people get a page, programs a problem. */
export function addLeftovers(
  app: Hono<RouteEnvironment>,
  paths: Parameters<typeof methodsAt>[0],
  deps: LeftoverDeps,
): void {
  app.notFound((c) => {
    const allowed = methodsAt(paths, c.req.path);
    if (allowed.length === 0 || allowed.includes(c.req.method)) {
      return answer(c, deps, "not_found", "There is no such page or resource.");
    }
    c.header("Allow", allowed.join(", "));
    return problem(c, "method_not_allowed", { detail: `${c.req.path} answers to ${allowed.join(", ")}.` });
  });
  app.onError((error, c) => {
    const { stack = String(error) } = error;
    const requestId = c.get("requestId");
    deps.publish({ type: "request.failed", route: c.req.routePath, requestId, error: stack });
    const detail = `This is a bug of ours; the request id ${requestId} finds it in the log.`;
    return answer(c, deps, "internal", detail);
  });
}

function answer(c: Context<RouteEnvironment>, deps: LeftoverDeps, code: ProblemCode, detail: string) {
  if (!isForPeople(c)) return problem(c, code, { detail });
  const { status, title } = problems[code];
  return sendDocument(
    c,
    <ErrorPage frame={deps.frame()} status={status} title={title} detail={detail} />,
    status,
  );
}

function isForPeople(c: Context): boolean {
  const accepts = c.req.header("accept") ?? "";
  return c.req.method === "GET" && accepts.includes("text/html") && !c.req.path.startsWith("/api");
}
