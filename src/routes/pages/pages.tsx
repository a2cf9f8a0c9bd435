import { Hono } from "hono";
import type { RouteEnvironment } from "../environment.ts";
import { addAgentPages } from "./chat/agent-pages.tsx";
import { addAgentSettingsPages } from "./agents/agent-settings-pages.tsx";
import { openAgentView } from "./chat/agent-view.tsx";
import { addAgentsPages } from "./agents/agents-pages.tsx";
import { openAgentsView } from "./agents/agents-view.tsx";
import { createSettledAnswers } from "./chat/answer-html.tsx";
import { addConversationsPages } from "./conversations/conversations-pages.tsx";
import { addHealthPages } from "./health/health-pages.tsx";
import { openHealthView } from "./health/health-view.tsx";
import { addLiveStreams } from "./live/live-streams.ts";
import type { PageDependencies } from "./page-dependencies.ts";
import { addRunPages } from "./runs/run-pages.tsx";
import { openRunView } from "./runs/run-view.tsx";

/** The pages for people. Who gets here has been let in, and what changes something comes from our pages. */
export function createPages(dependencies: PageDependencies): Hono<RouteEnvironment> {
  const app = new Hono<RouteEnvironment>();
  const answers = createSettledAnswers(dependencies);
  addAgentsPages(app, dependencies);
  addAgentSettingsPages(app, dependencies);
  addAgentPages(app, dependencies, answers);
  addConversationsPages(app, dependencies, answers);
  addRunPages(app, dependencies);
  addHealthPages(app, dependencies);
  addLiveStreams(app, dependencies, {
    agents: openAgentsView(dependencies),
    agent: openAgentView(dependencies, answers),
    run: openRunView(dependencies),
    health: openHealthView(dependencies),
  });
  return app;
}
