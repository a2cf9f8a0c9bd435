import type { Context } from "hono";
import { z } from "zod";
import { cursorSchema, eventCursorSchema } from "../domain/cursor.ts";
import { runEventSchema } from "../domain/event.ts";
import { limitSchema, pageSchema } from "../domain/page.ts";
import { runListItemSchema, runSchema } from "../domain/run.ts";
import { runStateSchema } from "../domain/run-state.ts";
import { acceptsEvents, type ExecuteDeps } from "./execute.ts";
import { refused } from "./problem.ts";
import type { RouteTable } from "./route-table.ts";
import { noFrames, resumePoint, runEventFrames } from "./run-events.ts";

export interface RunDeps extends ExecuteDeps {
  /** The redacted raw log; null when there is none (any more). */
  readRawLog(runId: string): Promise<ReadableStream<Uint8Array> | null>;
}

const cancelReplySchema = z.object({
  runId: z.string(),
  state: runStateSchema,
  alreadyFinished: z.boolean(),
  survivors: z.int(),
  tookMs: z.number(),
});

const afterSchema = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();

export function addRunRoutes(table: RouteTable, deps: RunDeps): void {
  addRunReads(table, deps);
  addRunLogs(table, deps);
  addRunCommands(table, deps);
}

function addRunReads(table: RouteTable, { runs }: RunDeps): void {
  table.add(
    {
      method: "GET",
      path: "/api/runs",
      summary: "List runs, newest first",
      tag: "Runs",
      access: "token",
      query: z.object({
        agentId: z.string().max(63).optional(),
        state: runStateSchema.optional(),
        limit: limitSchema,
        cursor: cursorSchema("runs", 1),
      }),
      answers: {
        200: {
          description: "A page of runs, with previews of their texts",
          schema: pageSchema(runListItemSchema),
        },
      },
      refusals: ["invalid"],
    },
    (c, { query }) => {
      const { agentId = null, state = null, limit, cursor = null } = query;
      return c.json(runs.listRuns({ agentId, state, limit, cursor }));
    },
  );
  table.add(
    {
      method: "GET",
      path: "/api/runs/:runId",
      summary: "One run",
      tag: "Runs",
      access: "token",
      answers: { 200: { description: "The run", schema: runSchema } },
      refusals: ["run_not_found"],
    },
    (c) => {
      const run = runs.getRun(c.req.param("runId") ?? "");
      return run ? c.json(run) : noSuchRun(c);
    },
  );
}

function addRunLogs(table: RouteTable, deps: RunDeps): void {
  const { runs } = deps;
  table.add(
    {
      method: "GET",
      path: "/api/runs/:runId/events",
      summary:
        "The run's event log: a list, or with Accept: text/event-stream a stream that resumes after Last-Event-ID",
      tag: "Runs",
      access: "token",
      query: z.object({ after: afterSchema, limit: limitSchema, cursor: eventCursorSchema }),
      answers: {
        200: {
          description: "Events, oldest first; none when they were removed (the run's eventsRemovedAt)",
          schema: pageSchema(runEventSchema),
          alsoAs: ["text/event-stream"],
        },
      },
      refusals: ["run_not_found", "invalid", "too_many_streams", "draining"],
    },
    (c, { query }) => {
      const runId = c.req.param("runId") ?? "";
      const run = runs.getRun(runId);
      if (!run) return noSuchRun(c);
      const after = resumePoint(c.req.header("last-event-id"), query.after);
      // What is on its way out isn't shown in part.
      const isGone = run.eventsRemovedAt !== null;
      if (acceptsEvents(c))
        return deps.streams.open(c, isGone ? noFrames : runEventFrames(deps, runId, after));
      if (isGone) return c.json({ items: [], nextCursor: null });
      const from = query.cursor === undefined ? after : resumePoint(query.cursor, 0);
      const items = runs.listEvents(runId, from, query.limit);
      const last = items.length === query.limit ? items.at(-1) : undefined;
      return c.json({ items, nextCursor: last ? String(last.seq) : null });
    },
  );
  table.add(
    {
      method: "GET",
      path: "/api/runs/:runId/log",
      summary: "What the CLI printed, redacted",
      tag: "Runs",
      access: "token",
      answers: {
        200: {
          description:
            "The raw log; of a long one the beginning and the end, with a line between them that says how much was dropped. Of one that was removed (the run's logRemovedAt) a line that says so.",
          contentType: "text/plain",
        },
      },
      refusals: ["run_not_found"],
    },
    async (c) => {
      const runId = c.req.param("runId") ?? "";
      const run = runs.getRun(runId);
      if (!run) return noSuchRun(c);
      const log = await deps.readRawLog(runId);
      const removed = run.logRemovedAt === null ? "" : `… the raw log was removed at ${run.logRemovedAt}\n`;
      return c.body(log ?? removed, 200, { "Content-Type": "text/plain; charset=utf-8" });
    },
  );
}

function addRunCommands(table: RouteTable, deps: RunDeps): void {
  const { runner } = deps;
  table.add(
    {
      method: "POST",
      path: "/api/runs/:runId/cancel",
      summary: "Cancel a run; answers when its processes are proven dead",
      tag: "Runs",
      access: "token",
      answers: { 200: { description: "What came of it", schema: cancelReplySchema } },
      refusals: ["run_not_found", "store_unavailable"],
    },
    async (c) => {
      c.env?.quietSeconds?.(0);
      const reply = await runner.cancelRun(c.req.param("runId") ?? "");
      return "kind" in reply ? refused(c, reply) : c.json(reply);
    },
  );
  table.add(
    {
      method: "POST",
      path: "/api/runs/:runId/retry",
      summary: "Give the same prompt again, as a new run",
      tag: "Runs",
      access: "token",
      answers: { 202: { description: "The new run; retryOf names the old one", schema: runSchema } },
      refusals: [
        "run_not_found",
        "run_active",
        "agent_not_found",
        "conversation_not_found",
        "queue_full",
        "breaker_open",
        "draining",
        "agent_quarantined",
        "store_unavailable",
      ],
    },
    async (c) => {
      const outcome = await runner.retryRun(c.req.param("runId") ?? "");
      if (outcome.kind === "refused") return refused(c, outcome);
      return c.json(outcome.run, 202, { Location: `/api/runs/${outcome.run.id}` });
    },
  );
  table.add(
    {
      method: "POST",
      path: "/api/agents/:agentId/cancel",
      summary: "Cancel the agent's run in progress and, with queued, all that wait",
      tag: "Runs",
      access: "token",
      body: z.strictObject({ queued: z.boolean().optional() }),
      bodyOptional: true,
      answers: {
        200: { description: "The cancelled runs", schema: z.object({ cancelled: z.array(z.string()) }) },
      },
      refusals: ["agent_not_found", "invalid", "store_unavailable"],
    },
    async (c, { body }) => {
      c.env?.quietSeconds?.(0);
      const outcome = await runner.cancelAgent(c.req.param("agentId") ?? "", {
        queued: body.queued ?? false,
      });
      return outcome.kind === "refused" ? refused(c, outcome) : c.json({ cancelled: outcome.cancelled });
    },
  );
}

function noSuchRun(c: Context): Response {
  return refused(c, { kind: "refused", code: "run_not_found", detail: "There is no such run." });
}
