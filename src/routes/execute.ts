import type { Context } from "hono";
import { executeInputSchema, type Run, runSchema } from "../domain/run.ts";
import { isTerminal, type RunState } from "../domain/run-state.ts";
import type { RunReads } from "../domain/ports.ts";
import type { ExecuteOutcome, Runner, Wakeups } from "../runner/runner-api.ts";
import type { RouteEnvironment } from "./environment.ts";
import type { EventStreams } from "./event-stream.ts";
import { problem, refused } from "./problem.ts";
import type { RouteTable } from "./route-table.ts";
import { resumePoint, runEventFrames } from "./run-events.ts";

export interface ExecuteDeps {
  runner: Runner;
  runs: RunReads;
  wakeups: Wakeups;
  streams: EventStreams;
}

/** The status of an answer that waited for the run's end. */
const statusOf = {
  succeeded: 200,
  failed: 502,
  timed_out: 504,
  cancelled: 409,
  interrupted: 503,
  queued: 202,
  starting: 202,
  running: 202,
} as const satisfies Record<RunState, number>;

const runAnswer = (description: string) => ({ description, schema: runSchema });

export function addExecuteRoute(table: RouteTable, deps: ExecuteDeps): void {
  table.add(
    {
      method: "POST",
      path: "/api/agents/:agentId/execute",
      summary: "Give the agent a prompt; waits for the answer, unless Prefer or Accept say otherwise",
      tag: "Execute",
      access: "token",
      body: executeInputSchema,
      answers: {
        200: {
          ...runAnswer("The run succeeded (or, with Accept: text/event-stream, its events)"),
          alsoAs: ["text/event-stream"],
        },
        202: runAnswer("With Prefer: respond-async: the run, queued or starting"),
        409: runAnswer("The run was cancelled"),
        502: runAnswer("The run failed"),
        503: runAnswer("The run was interrupted"),
        504: runAnswer("The run timed out"),
      },
      refusals: [
        "agent_not_found",
        "conversation_not_found",
        "invalid",
        "prompt_too_long",
        "mode_unavailable",
        "idempotency_mismatch",
        "queue_full",
        "too_many_streams",
        "breaker_open",
        "draining",
        "agent_quarantined",
        "store_unavailable",
      ],
    },
    async (c, { body }) => {
      const key = c.req.header("idempotency-key");
      if (key !== undefined && !/^[!-~ ]{1,128}$/.test(key)) return invalidKey(c);
      const agentId = c.req.param("agentId") ?? "";
      const outcome = await deps.runner.execute({ ...body, agentId, idempotencyKey: key ?? null });
      return answerRun(c, deps, outcome);
    },
  );
}

/** Answers in the way that the request asks for: with the run at once, its events, or its end. */
export async function answerRun(
  c: Context<RouteEnvironment>,
  deps: ExecuteDeps,
  outcome: ExecuteOutcome,
): Promise<Response> {
  if (outcome.kind === "refused") return refused(c, outcome);
  const { run } = outcome;
  if (outcome.replay) c.header("Idempotent-Replay", "true");
  c.header("Location", `/api/runs/${run.id}`);
  if (prefersAsync(c)) return c.json(run, 202);
  if (acceptsEvents(c))
    return deps.streams.open(c, runEventFrames(deps, run.id, resumePoint(c.req.header("last-event-id"), 0)));
  return answerAtEnd(c, deps, run);
}

async function answerAtEnd(c: Context<RouteEnvironment>, deps: ExecuteDeps, run: Run): Promise<Response> {
  c.env?.quietSeconds?.(0);
  const ended = await deps.runner.whenSettled(run.id, c.req.raw.signal);
  if (ended === "draining") {
    const detail = "The server is shutting down; the run stays queued and will run after the restart.";
    return problem(c, "draining", { detail, retryAfterSeconds: 5, more: { runId: run.id } });
  }
  if (ended === "gone")
    return problem(c, "conversation_not_found", { detail: deletedMeanwhile, more: { runId: run.id } });
  if (ended.state === "interrupted" || !isTerminal(ended.state)) c.header("Retry-After", "5");
  return c.json(ended, statusOf[ended.state]);
}

const deletedMeanwhile = "The run was deleted with its conversation before its end could be told.";

function prefersAsync(c: Context): boolean {
  return (c.req.header("prefer") ?? "")
    .split(",")
    .some((part) => part.trim().toLowerCase() === "respond-async");
}

export function acceptsEvents(c: Context): boolean {
  return (c.req.header("accept") ?? "").includes("text/event-stream");
}

function invalidKey(c: Context): Response {
  const message = "1 to 128 visible ASCII characters";
  return problem(c, "invalid", {
    detail: `Idempotency-Key: ${message}`,
    errors: [{ path: "Idempotency-Key", message }],
  });
}
