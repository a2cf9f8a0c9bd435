import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Clock } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import { type AccessOptions, type OwnNames, requireAccess, requireOwnNames } from "./access.ts";
import { addAgentRoutes } from "./agents.ts";
import { assetsPath, type AssetSource, addAssetRoutes } from "./assets.ts";
import { addBreakerRoutes } from "./breakers.ts";
import { addConversationRoutes, type ConversationDeps } from "./conversations.ts";
import { addContainmentRoute, type ContainmentDeps } from "./containment.ts";
import { addDocsRoutes, type DocsDeps } from "./docs.tsx";
import type { RouteEnvironment } from "./environment.ts";
import { addExecuteRoute } from "./execute.ts";
import { addLoginRoutes, type LoginDeps } from "./login.tsx";
import { addOperationsRoutes, type OperationsDeps } from "./operations.ts";
import { problem } from "./problem.ts";
import { describeResponses } from "./response-headers.ts";
import { createRouteTable, type RouteSpec, type RouteTable } from "./route-table.ts";
import { addLeftovers } from "./leftovers.tsx";
import { addRunRoutes, type RunDeps } from "./runs.ts";
import type { CliReport } from "../runner/runner-api.ts";

/** Longest request body. */
export const bodyBytesMax = 8 * 1_048_576;

export interface ApiDeps
  extends RunDeps, ConversationDeps, OperationsDeps, ContainmentDeps, LoginDeps, DocsDeps {
  names(): OwnNames;
  useLogin: AccessOptions["useLogin"];
  makeRequestId(): string;
  clock: Clock;
  publish: PublishFact;
  assets: AssetSource;
  listClis(): Promise<CliReport[]>;
  /** The pages, which people see. */
  pages: Hono<RouteEnvironment>;
}

/** Everything that is served. */
export interface Routes {
  /** The API, as the OpenAPI document shows it. */
  specs: readonly RouteSpec[];
  /** The same, and the pages and assets. */
  paths: readonly { method: string; path: string }[];
}

export interface Api {
  app: Hono<RouteEnvironment>;
  routes: Routes;
}

/** The whole HTTP surface: checks first, then routes, then what is left over. */
export function createApi(deps: ApiDeps): Api {
  const app = new Hono<RouteEnvironment>();
  const table = createRouteTable(app);
  addChecks(app, table, deps);
  addOperationsRoutes(table, deps);
  addContainmentRoute(table, deps);
  addAgentRoutes(table, deps);
  addExecuteRoute(table, deps);
  addRunRoutes(table, deps);
  addConversationRoutes(table, deps);
  addBreakerRoutes(table, deps);
  addDocsRoutes(table, deps);
  addLoginRoutes(app, deps);
  addAssetRoutes(app, deps.assets);
  app.route("/", deps.pages);
  const paths = pathsOf(app);
  addLeftovers(app, paths, deps);
  return { app, routes: { specs: table.specs, paths } };
}

function addChecks(app: Hono<RouteEnvironment>, table: RouteTable, deps: ApiDeps): void {
  app.use(describeResponses(deps));
  app.use(requireOwnNames(deps.names));
  app.use(
    requireAccess({
      token: deps.token,
      useLogin: deps.useLogin,
      isOpen: (_method, path) => isOpen(table, path),
    }),
  );
  app.use(
    bodyLimit({
      maxSize: bodyBytesMax,
      onError: (c) => problem(c, "payload_too_large", { detail: "A body has at most 8 MiB." }),
    }),
  );
  app.use(requireReadableForm);
}

/** Reads a form once, for whichever route wants it; one that can't be read is its sender's mistake. */
const requireReadableForm: MiddlewareHandler<RouteEnvironment> = async (c, next) => {
  try {
    await c.req.parseBody();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return problem(c, "malformed", { detail: "The form can't be read." });
  }
  return next();
};

function isOpen(table: RouteTable, path: string): boolean {
  if (path === "/login" || path.startsWith(assetsPath)) return true;
  return table.specs.some((spec) => spec.access === "open" && spec.path === path);
}

/** A path with validators is there once for each of them; a middleware has the method ALL. */
function pathsOf(app: Hono<RouteEnvironment>): Routes["paths"] {
  const paths = new Map<string, { method: string; path: string }>();
  for (const { method, path } of app.routes)
    if (method !== "ALL") paths.set(`${method} ${path}`, { method, path });
  return [...paths.values()];
}
