import { z } from "zod";
import { agentInputSchema, agentPatchSchema, agentSchema } from "../domain/agent.ts";
import { cursorSchema } from "../domain/cursor.ts";
import { limitSchema, pageSchema } from "../domain/page.ts";
import type { CliReport, Runner } from "../runner/runner-api.ts";
import { refused } from "./problem.ts";
import type { RouteTable } from "./route-table.ts";

export const forceQuerySchema = z.object({ force: z.enum(["true", "false"]).optional() });
const pageQuerySchema = z.object({ limit: limitSchema, cursor: cursorSchema("agents", 1) });

const cliReportSchema = z.object({
  cli: z.string(),
  acpAgent: z.string().nullable(),
  found: z.boolean(),
  path: z.string().nullable(),
  version: z.string().nullable(),
  tested: z.string().nullable(),
  minimum: z.string().nullable(),
  signedIn: z.enum(["yes", "no", "unknown"]),
  warm: z.boolean(),
  permissionModes: z.array(z.string()),
  notes: z.array(z.string()),
});

export interface AgentDeps {
  runner: Runner;
  listClis(): Promise<CliReport[]>;
}

export function addAgentRoutes(table: RouteTable, deps: AgentDeps): void {
  addCliRoute(table, deps);
  addAgentReads(table, deps);
  addAgentWrites(table, deps);
}

function addCliRoute(table: RouteTable, deps: AgentDeps): void {
  table.add(
    {
      method: "GET",
      path: "/api/clis",
      summary: "The CLIs that this server knows, and what it found of them",
      tag: "Agents",
      access: "token",
      answers: {
        200: {
          description: "One entry per CLI and per configured ACP agent",
          schema: pageSchema(cliReportSchema),
        },
      },
      refusals: [],
    },
    async (c) => c.json({ items: await deps.listClis(), nextCursor: null }),
  );
}

function addAgentReads(table: RouteTable, { runner }: AgentDeps): void {
  table.add(
    {
      method: "GET",
      path: "/api/agents",
      summary: "List agents, newest first",
      tag: "Agents",
      access: "token",
      query: pageQuerySchema,
      answers: { 200: { description: "A page of agents", schema: pageSchema(agentSchema) } },
      refusals: ["invalid"],
    },
    (c, { query }) => c.json(runner.listAgents({ limit: query.limit, cursor: query.cursor ?? null })),
  );
  table.add(
    {
      method: "GET",
      path: "/api/agents/:agentId",
      summary: "One agent",
      tag: "Agents",
      access: "token",
      answers: { 200: { description: "The agent", schema: agentSchema } },
      refusals: ["agent_not_found"],
    },
    (c) => {
      const agent = runner.getAgent(c.req.param("agentId") ?? "");
      return agent
        ? c.json(agent)
        : refused(c, { kind: "refused", code: "agent_not_found", detail: "No agent has this name." });
    },
  );
}

function addAgentWrites(table: RouteTable, { runner }: AgentDeps): void {
  table.add(
    {
      method: "POST",
      path: "/api/agents",
      summary: "Create an agent",
      tag: "Agents",
      access: "token",
      body: agentInputSchema,
      answers: { 201: { description: "The agent; Location names it", schema: agentSchema } },
      refusals: [
        "agent_exists",
        "invalid",
        "permission_unavailable",
        "mode_unavailable",
        "store_unavailable",
      ],
    },
    async (c, { body }) => {
      const outcome = await runner.createAgent(body);
      if (outcome.kind === "refused") return refused(c, outcome);
      return c.json(outcome.agent, 201, { Location: `/api/agents/${outcome.agent.id}` });
    },
  );
  table.add(
    {
      method: "PATCH",
      path: "/api/agents/:agentId",
      summary: "Change an agent; takes effect with its next run",
      tag: "Agents",
      access: "token",
      body: agentPatchSchema,
      answers: { 200: { description: "The agent as it is now", schema: agentSchema } },
      refusals: [
        "agent_not_found",
        "invalid",
        "permission_unavailable",
        "mode_unavailable",
        "store_unavailable",
      ],
    },
    async (c, { body }) => {
      const outcome = await runner.patchAgent(c.req.param("agentId") ?? "", body);
      return outcome.kind === "refused" ? refused(c, outcome) : c.json(outcome.agent);
    },
  );
  table.add(
    {
      method: "DELETE",
      path: "/api/agents/:agentId",
      summary: "Delete an agent; its conversations stay readable",
      tag: "Agents",
      access: "token",
      query: forceQuerySchema,
      answers: { 204: { description: "Deleted" } },
      refusals: ["agent_not_found", "run_active", "store_unavailable"],
    },
    async (c, { query }) => {
      const outcome = await runner.removeAgent(c.req.param("agentId") ?? "", {
        force: query.force === "true",
      });
      return outcome.kind === "refused" ? refused(c, outcome) : c.body(null, 204);
    },
  );
}
