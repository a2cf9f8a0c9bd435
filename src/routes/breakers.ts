import { z } from "zod";
import { breakerSchema } from "../domain/breaker.ts";
import type { Runner } from "../runner/runner-api.ts";
import { refused } from "./problem.ts";
import type { RouteTable } from "./route-table.ts";

const quarantineSchema = z.object({ agentId: z.string(), quarantined: z.boolean(), survivors: z.int() });

export function addBreakerRoutes(table: RouteTable, { runner }: { runner: Runner }): void {
  table.add(
    {
      method: "GET",
      path: "/api/breakers",
      summary: "Circuit breakers that aren't as they were made, at most 500, those that aren't closed first",
      tag: "Operations",
      access: "token",
      answers: {
        200: {
          description: "Breakers, each with its 20 newest changes",
          schema: z.object({ items: z.array(breakerSchema) }),
        },
      },
      refusals: [],
    },
    (c) => c.json({ items: runner.listBreakers() }),
  );
  table.add(
    {
      method: "POST",
      path: "/api/agents/:agentId/breaker/reset",
      summary: "Close the agent's circuit breaker; what waits goes on",
      tag: "Operations",
      access: "token",
      answers: { 200: { description: "The breaker as it is now", schema: breakerSchema } },
      refusals: ["agent_not_found", "store_unavailable"],
    },
    async (c) => {
      const outcome = await runner.resetBreaker(c.req.param("agentId") ?? "");
      return outcome.kind === "refused" ? refused(c, outcome) : c.json(outcome.breaker);
    },
  );
  table.add(
    {
      method: "POST",
      path: "/api/agents/:agentId/quarantine/recheck",
      summary: "Kill once more what is left of the agent's processes; it is free when nothing is",
      tag: "Operations",
      access: "token",
      answers: { 200: { description: "What came of it", schema: quarantineSchema } },
      refusals: ["agent_not_found", "store_unavailable"],
    },
    async (c) => {
      c.env?.quietSeconds?.(0);
      const outcome = await runner.recheckQuarantine(c.req.param("agentId") ?? "");
      if (outcome.kind === "refused") return refused(c, outcome);
      const { agentId, quarantined, survivors } = outcome;
      return c.json({ agentId, quarantined, survivors });
    },
  );
}
