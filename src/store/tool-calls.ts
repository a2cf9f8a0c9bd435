import type { Database } from "bun:sqlite";
import { isoTime } from "../domain/clock.ts";
import type { RunEventBody } from "../domain/event.ts";
import type { ToolCallRecord } from "../domain/ports.ts";

interface ToolEventRow {
  at: number;
  body: string;
}

type ToolStart = Extract<RunEventBody, { type: "tool.started" }>;
type ToolEnd = Extract<RunEventBody, { type: "tool.finished" }>;

/** As the index `run_events_of_tools` has it. */
const ofTool = `run_id = :runId and iif(json_valid(body), body ->> '$.toolId', null) = :toolId`;

/** The tool call with this id; of several, the last. Null when the run never called it. */
export function findToolCall(database: Database, runId: string, toolId: string): ToolCallRecord | null {
  const started = database
    .query<ToolEventRow & { seq: number }, { runId: string; toolId: string }>(
      `select seq, at, body from run_events indexed by run_events_of_tools
       where ${ofTool} and type in ('tool.started', 'tool.finished') and type = 'tool.started'
       order by seq desc limit 1`,
    )
    .get({ runId, toolId });
  if (started === null) return null;
  const { name, input } = JSON.parse(started.body) as ToolStart;
  const result = findResult(database, { runId, toolId, afterSeq: started.seq });
  return { toolId, name, input, startedAt: isoTime(started.at), result };
}

function findResult(
  database: Database,
  call: { runId: string; toolId: string; afterSeq: number },
): ToolCallRecord["result"] {
  const finished = database
    .query<ToolEventRow, typeof call>(
      `select at, body from run_events indexed by run_events_of_tools
       where ${ofTool} and type in ('tool.started', 'tool.finished') and type = 'tool.finished'
         and seq > :afterSeq
       order by seq limit 1`,
    )
    .get(call);
  if (finished === null) return null;
  const { isError, output } = JSON.parse(finished.body) as ToolEnd;
  return { isError, output, finishedAt: isoTime(finished.at) };
}
