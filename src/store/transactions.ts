import type { Database } from "bun:sqlite";
import { storageFailure } from "./failures.ts";

export type Work = () => unknown;
export type Outcome = { kind: "done"; value: unknown } | { kind: "threw"; error: unknown };

export interface Transactions {
  /**
   * Runs all works in one transaction. A work that throws undoes only itself. Throws when the transaction
   * as a whole can't be committed; nothing is written then.
   */
  run(works: readonly Work[], options: { durable: boolean; before: Work | null }): Outcome[];
}

export function createTransactions(database: Database): Transactions {
  let synchronous: "full" | "normal" | null = null;

  /** Legal between transactions only; costs about 1 µs, and the fsync that it saves 150. */
  function setSynchronous(level: "full" | "normal"): void {
    if (level === synchronous) return;
    database.run(`pragma synchronous = ${level}`);
    synchronous = level;
  }

  function run(works: readonly Work[], options: { durable: boolean; before: Work | null }): Outcome[] {
    setSynchronous(options.durable ? "full" : "normal");
    database.query("begin immediate").run();
    try {
      options.before?.();
      const outcomes = works.map((work) => runInSavepoint(database, work));
      database.query("commit").run();
      return outcomes;
    } catch (error) {
      rollBack(database);
      throw error;
    }
  }

  function runAlone(work: Work, durable: boolean): Outcome[] {
    setSynchronous(durable ? "full" : "normal");
    database.query("begin immediate").run();
    try {
      const value = work();
      database.query("commit").run();
      return [{ kind: "done", value }];
    } catch (error) {
      rollBack(database);
      if (storageFailure(error) !== null) throw error;
      return [{ kind: "threw", error }];
    }
  }

  return {
    run(works, options) {
      const [only] = works;
      const isAlone = works.length === 1 && only !== undefined && options.before === null;
      return isAlone ? runAlone(only, options.durable) : run(works, options);
    },
  };
}

function runInSavepoint(database: Database, work: Work): Outcome {
  database.query("savepoint job").run();
  try {
    const value = work();
    database.query("release job").run();
    return { kind: "done", value };
  } catch (error) {
    // A full disk may have ended the whole transaction already: then none of it can be kept.
    if (storageFailure(error) !== null || !database.inTransaction) throw error;
    database.query("rollback to job").run();
    database.query("release job").run();
    return { kind: "threw", error };
  }
}

/** SQLite ends the transaction by itself on some errors (a full disk, an I/O error). */
function rollBack(database: Database): void {
  if (database.inTransaction) database.query("rollback").run();
}
