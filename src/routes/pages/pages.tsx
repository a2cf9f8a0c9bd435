import { Hono } from "hono";
import type { RouteEnvironment } from "../environment.ts";
import { addAgentPages } from "./agent-pages.tsx";
import { addAgentsPages } from "./agents-pages.tsx";
import { createSettledAnswers } from "./answer-html.tsx";
import type { PageDependencies } from "./page-dependencies.ts";
import { addRunPages } from "./run-pages.tsx";

/** The pages for people. Who gets here has been let in, and what changes something comes from our pages. */
export function createPages(dependencies: PageDependencies): Hono<RouteEnvironment> {
  const app = new Hono<RouteEnvironment>();
  const answers = createSettledAnswers(dependencies.runs);
  addAgentsPages(app, dependencies);
  addAgentPages(app, dependencies, answers);
  addRunPages(app, dependencies);
  return app;
}
