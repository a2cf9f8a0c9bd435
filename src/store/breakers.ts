import type { Database } from "bun:sqlite";
import {
  type Breaker,
  type BreakerChange,
  type BreakerDecision,
  type BreakerEvent,
  type BreakerSettings,
  isPristine,
  pristineBreaker,
  type StoredBreakerChange,
} from "../domain/breaker.ts";
import { getAgentRow } from "./agents.ts";
import { decideBreaker, halfOpened } from "../domain/breaker-decider.ts";

/** Changes that are kept of each agent; the oldest go first. */
const changesKeptMax = 100;

interface BreakerRow extends Omit<Breaker, "cause"> {
  cause: string | null;
}

const columns = `
  agents.id as agentId, breakers.state, breakers.failures, breakers.openings,
  breakers.opened_at as openedAtMs, breakers.retry_at as retryAtMs, breakers.cause`;

/** Agents whose breaker may have a row; all others have none. */
interface Touched {
  keys: Set<number>;
  agentIds: Set<string>;
}

/**
 * By connection, for the only one that writes: each run asks four times for a row that nearly no agent has. Whoever
 * had one stays in here, also when its transaction came to nothing.
 */
const touched = new WeakMap<Database, Touched>();

function touchedIn(database: Database): Touched {
  const known = touched.get(database);
  if (known) return known;
  const rows = database
    .query<{ key: number; id: string }, []>(
      `select agents.key, agents.id from breakers join agents on agents.key = breakers.agent_key`,
    )
    .all();
  const read = { keys: new Set(rows.map(({ key }) => key)), agentIds: new Set(rows.map(({ id }) => id)) };
  touched.set(database, read);
  return read;
}

function touch(database: Database, agentKey: number): void {
  const { keys, agentIds } = touchedIn(database);
  if (keys.has(agentKey)) return;
  keys.add(agentKey);
  agentIds.add(getAgentRow(database, agentKey).id);
}

function breakerOf(row: BreakerRow): Breaker {
  return { ...row, cause: JSON.parse(row.cause ?? "null") as Breaker["cause"] };
}

/** Pristine where there is no row. */
export function findBreaker(database: Database, agentKey: number, agentId: string): Breaker {
  if (!touchedIn(database).keys.has(agentKey)) return pristineBreaker(agentId);
  const row = database
    .query<BreakerRow, { agentKey: number }>(
      `select ${columns} from breakers join agents on agents.key = breakers.agent_key
       where breakers.agent_key = :agentKey`,
    )
    .get({ agentKey });
  return row === null ? pristineBreaker(agentId) : breakerOf(row);
}

/** Of the agent that has this name now; pristine where there is none. */
export function findBreakerOf(database: Database, agentId: string): Breaker {
  if (!touchedIn(database).agentIds.has(agentId)) return pristineBreaker(agentId);
  const row = database
    .query<BreakerRow, { agentId: string }>(
      `select ${columns} from agents join breakers on breakers.agent_key = agents.key
       where agents.id = :agentId and agents.deleted_at is null`,
    )
    .get({ agentId });
  return row === null ? pristineBreaker(agentId) : breakerOf(row);
}

/** Of living agents, those that aren't pristine or have changes: what isn't closed first, then by name. */
export function listBreakers(database: Database, limit: number): Breaker[] {
  return database
    .query<BreakerRow, { limit: number }>(
      `select agents.id as agentId, coalesce(breakers.state, 'closed') as state,
         coalesce(breakers.failures, 0) as failures, coalesce(breakers.openings, 0) as openings,
         breakers.opened_at as openedAtMs, breakers.retry_at as retryAtMs, breakers.cause
       from (select agent_key from breakers union select agent_key from breaker_changes) as listed
       join agents on agents.key = listed.agent_key and agents.deleted_at is null
       left join breakers on breakers.agent_key = listed.agent_key
       order by coalesce(breakers.state, 'closed') = 'closed', agents.id limit :limit`,
    )
    .all({ limit })
    .map(breakerOf);
}

/** Newest first. */
export function listBreakerChanges(
  database: Database,
  agentKey: number,
  limit: number,
): StoredBreakerChange[] {
  return database
    .query<StoredBreakerChange, { agentKey: number; limit: number }>(
      `select breaker_changes.key, agents.id as agentId, breaker_changes.at as atMs, from_state as "from",
         to_state as "to", reason, run_id as runId, code
       from breaker_changes join agents on agents.key = breaker_changes.agent_key
       where breaker_changes.agent_key = :agentKey order by breaker_changes.key desc limit :limit`,
    )
    .all({ agentKey, limit });
}

/** Inside a transaction: what the event makes of the agent's breaker. A pristine one has no row. */
export function moveBreaker(
  database: Database,
  agentKey: number,
  event: BreakerEvent,
  settings: BreakerSettings,
): void {
  const before = findBreaker(database, agentKey, "");
  record(database, agentKey, before, decideBreaker(before, event, settings));
}

/** Inside a transaction: a run that may probe is let in. */
export function halfOpenBreaker(database: Database, agentKey: number, atMs: number): void {
  const before = findBreaker(database, agentKey, "");
  record(database, agentKey, before, halfOpened(before, atMs));
}

function record(
  database: Database,
  agentKey: number,
  before: Breaker,
  { breaker, change }: BreakerDecision,
): void {
  // Nearly every run: nothing was wrong, and nothing is.
  if (isPristine(breaker) && isPristine(before)) return;
  if (isPristine(breaker)) deleteBreaker(database, agentKey);
  else saveBreaker(database, agentKey, breaker);
  if (change) insertChange(database, agentKey, change);
}

function saveBreaker(database: Database, agentKey: number, breaker: Breaker): void {
  const { agentId: _agentId, cause, ...rest } = breaker;
  touch(database, agentKey);
  database
    .query(
      `insert into breakers (agent_key, state, failures, openings, opened_at, retry_at, cause)
       values (:agentKey, :state, :failures, :openings, :openedAtMs, :retryAtMs, :cause)
       on conflict (agent_key) do update set
         state = :state, failures = :failures, openings = :openings, opened_at = :openedAtMs,
         retry_at = :retryAtMs, cause = :cause`,
    )
    .run({ agentKey, ...rest, cause: cause && JSON.stringify(cause) });
}

function insertChange(database: Database, agentKey: number, change: BreakerChange): void {
  const { atMs, from, to, reason, runId, code } = change;
  database
    .query(
      `insert into breaker_changes (agent_key, at, from_state, to_state, reason, run_id, code)
       values (:agentKey, :atMs, :from, :to, :reason, :runId, :code)`,
    )
    .run({ agentKey, atMs, from, to, reason, runId, code });
  database
    .query(
      `delete from breaker_changes where agent_key = :agentKey and key not in (
         select key from breaker_changes where agent_key = :agentKey order by key desc limit :changesKeptMax)`,
    )
    .run({ agentKey, changesKeptMax });
}

function deleteBreaker(database: Database, agentKey: number): void {
  database.query(`delete from breakers where agent_key = :agentKey`).run({ agentKey });
}

/** Inside a transaction: with its history, as its agent goes. */
export function forgetBreaker(database: Database, agentKey: number): void {
  deleteBreaker(database, agentKey);
  database.query(`delete from breaker_changes where agent_key = :agentKey`).run({ agentKey });
}
