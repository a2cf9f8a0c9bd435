import type { Database } from "bun:sqlite";
import { z } from "zod";
import { type ContainmentTestStore, containmentTestSchema } from "../domain/containment-report.ts";
import type { CommitQueue } from "./commit-queue.ts";

interface Row {
  tests: string;
  testedAt: number;
}

const testsSchema = z.array(containmentTestSchema);

export function createContainmentTestStore(database: Database, queue: CommitQueue): ContainmentTestStore {
  return {
    findContainmentTests(fingerprint) {
      const row = database
        .query<Row, { fingerprint: string }>(
          `select tests, tested_at as testedAt from containment_tests where fingerprint = :fingerprint`,
        )
        .get({ fingerprint });
      return row === null
        ? null
        : { tests: testsSchema.parse(JSON.parse(row.tests)), testedAtMs: row.testedAt };
    },
    keepContainmentTests(fingerprint, { tests, testedAtMs }) {
      const row = { fingerprint, tests: JSON.stringify(tests), testedAt: testedAtMs };
      return queue.commit(
        () => {
          database.query(`delete from containment_tests`).run();
          database
            .query(
              `insert into containment_tests (fingerprint, tests, tested_at)
               values (:fingerprint, :tests, :testedAt)`,
            )
            .run(row);
        },
        { durable: false },
      );
    },
  };
}
