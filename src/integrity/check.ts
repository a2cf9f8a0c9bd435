import { isoTime, type Clock } from "../domain/clock.ts";
import { invariants, type Invariant } from "./invariants.ts";

/** A connection that can read: the store's reader, or any other handle with its shape. */
export interface ReadHandle {
  query(sql: string): { all(): unknown[] };
  run(sql: string): unknown;
  readonly inTransaction: boolean;
}

export interface IntegrityReport {
  status: "ok" | "violated";
  at: string;
  durationMs: number;
  checks: { id: string; description: string; violations: string[] }[];
}

/** Enough of them to find the cause; a broken index has as many as there are rows. */
const violationsMax = 20;

/**
 * Asks every invariant of one snapshot of the database. `recovered` is false between a start and the end of
 * its recovery, when runs of an earlier server may still look active.
 */
export function checkIntegrity(
  database: ReadHandle,
  { recovered, clock }: { recovered: boolean; clock: Clock },
): IntegrityReport {
  const startedMs = clock.monotonicMs();
  const asked = invariants.filter((invariant) => recovered || invariant.afterRecovery !== true);
  const checks = inSnapshot(database, () => asked.map((invariant) => check(database, invariant)));
  return {
    status: checks.every((result) => result.violations.length === 0) ? "ok" : "violated",
    at: isoTime(clock.wallMs()),
    durationMs: clock.monotonicMs() - startedMs,
    checks,
  };
}

function inSnapshot<T>(database: ReadHandle, read: () => T): T {
  database.run("begin");
  try {
    return read();
  } finally {
    // A damaged file may have ended the transaction by itself.
    if (database.inTransaction) database.run("rollback");
  }
}

/** A statement that can't even be read through is a violation too: the file is damaged there. */
function check(database: ReadHandle, { id, description, sql }: Invariant) {
  try {
    const rows = database.query(`select violation from (${sql}) limit ${violationsMax}`).all();
    const violations = (rows as { violation: unknown }[]).map((row) => String(row.violation));
    return { id, description, violations };
  } catch (error) {
    return { id, description, violations: [`can't be read: ${(error as Error).message}`] };
  }
}
