import type { Database } from "bun:sqlite";
import { isoTime } from "../domain/clock.ts";
import type { RunEvent, RunEventBody } from "../domain/event.ts";
import type { RunPageReads } from "../domain/ports.ts";
import { findRunWithoutContent } from "./run-views.ts";

/** What the page of a run asks for, one statement each. */
export function createRunPageReads(database: Database): RunPageReads {
  return {
    findRunWithoutContent: (runId) => findRunWithoutContent(database, runId),
    listEventsOfTypes: (runId, types, afterSeq, limit) =>
      listEventsOfTypes(database, runId, types, { afterSeq, limit }),
    findWindowStart: (runId, types, beforeSeq, count) =>
      findWindowStart(database, runId, types, { beforeSeq, count }),
    listRetries: (runId, limit) => listRetries(database, runId, limit),
    findUserTurnSeq: (runId) => findUserTurnSeq(database, runId),
  };
}

type EventTypes = readonly RunEvent["type"][] | null;

/** Types are our own words, so they may stand in the statement, which is then prepared once for each filter. */
function ofTypes(types: EventTypes): string {
  return types === null ? "" : `and type in (${types.map((type) => `'${type}'`).join(", ")})`;
}

function listEventsOfTypes(
  database: Database,
  runId: string,
  types: EventTypes,
  { afterSeq, limit }: { afterSeq: number; limit: number },
): RunEvent[] {
  return database
    .query<{ seq: number; at: number; body: string }, { runId: string; afterSeq: number; limit: number }>(
      `select seq, at, body from run_events
       where run_id = :runId and seq > :afterSeq ${ofTypes(types)} order by seq limit :limit`,
    )
    .all({ runId, afterSeq, limit })
    .map(({ seq, at, body }) => ({ seq, runId, at: isoTime(at), ...(JSON.parse(body) as RunEventBody) }));
}

function findWindowStart(
  database: Database,
  runId: string,
  types: EventTypes,
  { beforeSeq, count }: { beforeSeq: number; count: number },
): number {
  const row = database
    .query<{ seq: number }, { runId: string; beforeSeq: number; count: number }>(
      `select seq from run_events
       where run_id = :runId and seq < :beforeSeq ${ofTypes(types)} order by seq desc limit 1 offset :count`,
    )
    .get({ runId, beforeSeq, count });
  return row?.seq ?? 0;
}

function listRetries(database: Database, runId: string, limit: number): string[] {
  return database
    .query<{ id: string }, { runId: string; limit: number }>(
      `select id from kept_runs where retry_of = :runId order by key limit :limit`,
    )
    .all({ runId, limit })
    .map(({ id }) => id);
}

function findUserTurnSeq(database: Database, runId: string): number | null {
  const row = database
    .query<{ seq: number | null }, { runId: string }>(
      `select seq from turns where run_id = :runId and role = 'user'`,
    )
    .get({ runId });
  return row?.seq ?? null;
}
