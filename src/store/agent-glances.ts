import type { Database } from "bun:sqlite";
import { isoTime, isoTimeOrNull } from "../domain/clock.ts";
import type { RunErrorCode } from "../domain/error-codes.ts";
import type { RunEvent, RunEventBody } from "../domain/event.ts";
import type { AgentGlance } from "../domain/ports.ts";
import { previewChars, shortened } from "../domain/run.ts";
import type { RunState, TerminalState } from "../domain/run-state.ts";

/** How many events a run may have told since it last did something, and is still seen doing it. */
const eventsLookedThroughMax = 200;
/** How many runs of an agent may have ended without a word since its last answer. */
const runsLookedThroughMax = 20;
/** The end of an answer that is read for its last line. */
const tailBytes = 4_096;

/** A character that was cut through at the beginning becomes a replacement character. */
const decoder = new TextDecoder();

interface GlanceRow {
  agentId: string;
  activeRun: string | null;
  lastRun: string | null;
  tail: Uint8Array | null;
}

interface RunRow {
  id: string;
  state: RunState;
  errorCode: RunErrorCode | null;
  startedAt: number | null;
  endedAt: number | null;
}

/** What each of the agents is doing and has done last; one that isn't there is left out. */
export function glancesOf(database: Database, agentIds: readonly string[]): Map<string, AgentGlance> {
  const rows = listGlanceRows(database, agentIds);
  const runIds = rows.flatMap(({ activeRun, lastRun }) => [activeRun, lastRun]).filter((id) => id !== null);
  const runs = new Map(listRunsById(database, runIds).map((run) => [run.id, run]));
  return new Map(
    rows.map(({ agentId, activeRun, lastRun, tail }) => [
      agentId,
      {
        active: activeOf(database, runs.get(activeRun ?? "")),
        lastRun: lastRunOf(runs.get(lastRun ?? "")),
        lastLine: tail === null ? null : lastLineOf(decoder.decode(tail)),
      },
    ]),
  );
}

/** Of an agent, the one that ended last first. What was taken back while it waited isn't among them. */
const endedRuns = `
  from runs
  where agent_key = agents.key and ended_at is not null and withdrawn_prompt is null
    and (select removed_at from conversations where id = runs.conversation_id) is null
  order by ended_at desc, key desc`;

const answerKey = `(
  select key from turns where run_id = runs.id and role = 'assistant' and octet_length(content) > 0)`;

/** As bytes: to cut so many characters off the end, SQLite would count all of them. */
function listGlanceRows(database: Database, agentIds: readonly string[]): GlanceRow[] {
  return database
    .query<GlanceRow, { agentIds: string }>(
      `select agents.id as agentId,
         (select id from runs where agent_key = agents.key and state in ('starting', 'running')) as activeRun,
         (select id ${endedRuns} limit 1) as lastRun,
         (select substr(cast(content as blob), -${tailBytes}) from turns where key = (
           select answerKey from (select ${answerKey} as answerKey ${endedRuns} limit ${runsLookedThroughMax})
           where answerKey is not null limit 1)) as tail
       from agents where id in (select value from json_each(:agentIds)) and deleted_at is null`,
    )
    .all({ agentIds: JSON.stringify(agentIds) });
}

function listRunsById(database: Database, runIds: readonly string[]): RunRow[] {
  return database
    .query<RunRow, { runIds: string }>(
      `select id, state, error_code as errorCode, started_at as startedAt, ended_at as endedAt
       from runs where id in (select value from json_each(:runIds))`,
    )
    .all({ runIds: JSON.stringify(runIds) });
}

function activeOf(database: Database, run: RunRow | undefined): AgentGlance["active"] {
  if (run === undefined) return null;
  const { id: runId, state, startedAt } = run;
  return { runId, state, startedAt: isoTimeOrNull(startedAt), lastEvent: findLastDeed(database, runId) };
}

function lastRunOf(run: RunRow | undefined): AgentGlance["lastRun"] {
  if (run === undefined) return null;
  return {
    runId: run.id,
    state: run.state as TerminalState,
    errorCode: run.errorCode,
    endedAt: isoTime(run.endedAt!),
  };
}

/** The newest event that tells what the run does. */
function findLastDeed(database: Database, runId: string): RunEvent | null {
  const row = database
    .query<{ seq: number; at: number; body: string }, { runId: string }>(
      `select seq, at, body from (
         select seq, at, type, body from run_events where run_id = :runId
         order by seq desc limit ${eventsLookedThroughMax})
       where type in ('text', 'thinking', 'tool.started', 'tool.finished') order by seq desc limit 1`,
    )
    .get({ runId });
  if (row === null) return null;
  return { seq: row.seq, runId, at: isoTime(row.at), ...(JSON.parse(row.body) as RunEventBody) };
}

/** The last line with words on it, without what makes it a heading, a quote or an item of a list. */
export function lastLineOf(text: string): string | null {
  const line = text
    .split("\n")
    .findLast((candidate) => /[\p{L}\p{N}]/u.test(candidate) && !/^\s*(```|~~~)/.test(candidate));
  return line === undefined
    ? null
    : shortened(line.replace(/^\s*((#{1,6}|>|[-*+])\s+)*/, "").trim(), previewChars);
}
