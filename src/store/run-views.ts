import type { Database } from "bun:sqlite";
import { isoTime, isoTimeOrNull } from "../domain/clock.ts";
import { runErrors, runbookOf, type RunErrorCode } from "../domain/error-codes.ts";
import { allText } from "../domain/event.ts";
import { previewChars, preview, type Run, type RunError, type RunListItem } from "../domain/run.ts";
import type { RunState } from "../domain/run-state.ts";
import { foldText } from "./run-events.ts";

/** A log holds at most this many events (`HEADWAY_EVENT_LIMIT` cuts earlier). */
const foldedEventsMax = 10_000_000;
/** A preview needs the beginning of the text only. */
const foldedForPreviewMax = 500;

interface RunRow {
  key: number;
  id: string;
  agentId: string;
  cli: Run["cli"];
  conversationId: string;
  userTurnId: string;
  state: RunState;
  mode: Run["mode"];
  warm: number;
  queuePosition: number | null;
  prompt: string;
  content: string | null;
  contentFinal: number | null;
  errorCode: RunErrorCode | null;
  errorMessage: string | null;
  cliVersion: string | null;
  cliSessionId: string | null;
  model: string | null;
  usage: string | null;
  costUsd: number | null;
  toolNames: string;
  exitCode: number | null;
  signal: string | null;
  anomalies: string;
  queuedAt: number;
  startedAt: number | null;
  firstOutputAt: number | null;
  endedAt: number | null;
  durationMs: number | null;
  peakRssBytes: number | null;
  cpuMs: number | null;
  survivors: number | null;
  retryOf: string | null;
  metadata: string;
  eventsRemovedAt: number | null;
  logRemovedAt: number | null;
}

/**
 * `prompt` and `content` are whole, or the beginning that a preview needs. Subqueries, not joins: SQLite
 * prepares a join with bound values anew each time, which made this ten times slower.
 */
function selectRuns(text: (column: string) => string): string {
  return `
    select runs.key, runs.id, (select id from agents where key = runs.agent_key) as agentId,
      (select cli from agents where key = runs.agent_key) as cli, runs.conversation_id as conversationId,
      runs.user_turn_id as userTurnId, runs.state, runs.mode, runs.warm,
      case when runs.state = 'queued' then (
        select count(*) from runs as ahead
        where ahead.agent_key = runs.agent_key and ahead.state = 'queued' and ahead.key <= runs.key)
      end as queuePosition,
      coalesce(
        ${text("runs.withdrawn_prompt")},
        (select ${text("content")} from turns where run_id = runs.id and role = 'user')) as prompt,
      (select ${text("content")} from turns where run_id = runs.id and role = 'assistant') as content,
      (select final from turns where run_id = runs.id and role = 'assistant') as contentFinal,
      runs.error_code as errorCode, runs.error_message as errorMessage, runs.cli_version as cliVersion,
      runs.cli_session_id as cliSessionId, runs.model, runs.usage, runs.cost_usd as costUsd,
      runs.tool_names as toolNames, runs.exit_code as exitCode, runs.signal, runs.anomalies,
      runs.queued_at as queuedAt, runs.started_at as startedAt, runs.first_output_at as firstOutputAt,
      runs.ended_at as endedAt, runs.duration_ms as durationMs, runs.peak_rss_bytes as peakRssBytes,
      runs.cpu_ms as cpuMs, runs.survivors, runs.retry_of as retryOf, runs.metadata,
      runs.events_removed_at as eventsRemovedAt, runs.log_removed_at as logRemovedAt
    from runs
    where (select removed_at from conversations where id = runs.conversation_id) is null`;
}

const selectWhole = selectRuns((column) => column);
const selectPreviews = selectRuns((column) => `substr(${column}, 1, ${previewChars + 1})`);

export function findRun(database: Database, runId: string): Run | null {
  const row = database.query<RunRow, { runId: string }>(`${selectWhole} and runs.id = :runId`).get({ runId });
  if (row === null) return null;
  const content = contentOf(database, row, foldedEventsMax);
  return { ...factsOf(row), prompt: row.prompt, content };
}

/** What can be had of a run in progress without folding its log. */
export function findRunWithoutContent(database: Database, runId: string): Omit<Run, "content"> | null {
  const row = database.query<RunRow, { runId: string }>(`${selectWhole} and runs.id = :runId`).get({ runId });
  return row === null ? null : { ...factsOf(row), prompt: row.prompt };
}

export interface RunFilter {
  agentKey: number | null;
  state: RunState | null;
  beforeKey: number;
  limit: number;
}

/** Newest first. */
export function listRuns(database: Database, filter: RunFilter): { key: number; item: RunListItem }[] {
  const { agentKey, state, beforeKey, limit } = filter;
  const ofAgent = agentKey === null ? "" : "and runs.agent_key = :agentKey";
  const inState = state === null ? "" : "and runs.state = :state";
  return database
    .query<RunRow, Record<string, string | number>>(
      `${selectPreviews} and runs.key < :beforeKey ${ofAgent} ${inState} order by runs.key desc limit :limit`,
    )
    .all({
      beforeKey,
      limit,
      ...(agentKey === null ? {} : { agentKey }),
      ...(state === null ? {} : { state }),
    })
    .map((row) => ({ key: row.key, item: listItemOf(database, row) }));
}

function listItemOf(database: Database, row: RunRow): RunListItem {
  const content = contentOf(database, row, foldedForPreviewMax);
  return { ...factsOf(row), promptPreview: preview(row.prompt), contentPreview: preview(content) };
}

/** An ended run's answer is its turn; one in progress has what its log holds so far. */
function contentOf(database: Database, row: RunRow, eventsMax: number): string {
  if (row.content !== null) return row.content;
  return row.state === "running" ? allText(foldText(database, row.id, eventsMax)) : "";
}

function factsOf(row: RunRow): Omit<Run, "prompt" | "content"> {
  return {
    id: row.id,
    agentId: row.agentId,
    conversationId: row.conversationId,
    userTurnId: row.userTurnId,
    state: row.state,
    mode: row.mode,
    transport: { warm: row.warm === 1 },
    queuePosition: row.queuePosition,
    contentFinal: row.contentFinal === 1,
    error: errorOf(row),
    cli: row.cli,
    cliVersion: row.cliVersion,
    cliSessionId: row.cliSessionId,
    model: row.model,
    usage: row.usage === null ? null : (JSON.parse(row.usage) as Run["usage"]),
    costUsd: row.costUsd,
    toolNames: JSON.parse(row.toolNames) as string[],
    exitCode: row.exitCode,
    signal: row.signal,
    anomalies: JSON.parse(row.anomalies) as Run["anomalies"],
    ...timesOf(row),
    peakRssBytes: row.peakRssBytes,
    cpuMs: row.cpuMs,
    survivors: row.survivors,
    retryOf: row.retryOf,
    metadata: JSON.parse(row.metadata) as Run["metadata"],
    eventsRemovedAt: isoTimeOrNull(row.eventsRemovedAt),
    logRemovedAt: isoTimeOrNull(row.logRemovedAt),
  };
}

function timesOf(row: RunRow) {
  return {
    queuedAt: isoTime(row.queuedAt),
    startedAt: isoTimeOrNull(row.startedAt),
    firstOutputAt: isoTimeOrNull(row.firstOutputAt),
    endedAt: isoTimeOrNull(row.endedAt),
    queueMs: row.startedAt === null ? null : row.startedAt - row.queuedAt,
    durationMs: row.durationMs,
  };
}

function errorOf(row: RunRow): RunError | null {
  if (row.errorCode === null) return null;
  return errorWith(row.errorCode, row.errorMessage ?? runErrors[row.errorCode].message);
}

export function errorWith(code: RunErrorCode, message: string): RunError {
  return { code, message, runbook: runbookOf(code) };
}
