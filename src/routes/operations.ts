import { z } from "zod";
import type { RouteTable } from "./route-table.ts";

export interface OperationsDeps {
  version: string;
  /** Why the server is not ready; none when it is. */
  readiness(): { reasons: string[]; containment: "full" | "degraded"; rung: string; notes: string[] };
  metrics(): Promise<{ contentType: string; text: string }>;
}

const readySchema = z.object({
  status: z.enum(["ready", "not_ready"]),
  reasons: z.array(z.string()),
  /** What the rung promises; once the self-test has ended, what that saw. */
  containment: z.enum(["full", "degraded"]),
  rung: z.string(),
  notes: z.array(z.string()),
});

export function addOperationsRoutes(table: RouteTable, deps: OperationsDeps): void {
  table.add(
    {
      method: "GET",
      path: "/healthz",
      summary: "Alive",
      tag: "Operations",
      access: "open",
      answers: {
        200: {
          description: "The process answers",
          schema: z.object({ status: z.literal("ok"), version: z.string() }),
        },
      },
      refusals: [],
    },
    (c) => c.json({ status: "ok", version: deps.version }),
  );
  table.add(
    {
      method: "GET",
      path: "/readyz",
      summary: "Ready to take work, or why not",
      tag: "Operations",
      access: "open",
      answers: {
        200: { description: "Ready", schema: readySchema },
        503: { description: "Not ready", schema: readySchema },
      },
      refusals: [],
    },
    (c) => {
      const readiness = deps.readiness();
      const isReady = readiness.reasons.length === 0;
      return c.json({ status: isReady ? "ready" : "not_ready", ...readiness }, isReady ? 200 : 503);
    },
  );
  table.add(
    {
      method: "GET",
      path: "/metrics",
      summary: "Metrics in Prometheus's text format",
      tag: "Operations",
      access: "token",
      answers: { 200: { description: "Metrics", contentType: "text/plain" } },
      refusals: [],
    },
    async (c) => {
      const { contentType, text } = await deps.metrics();
      return c.body(text, 200, { "Content-Type": contentType });
    },
  );
}
