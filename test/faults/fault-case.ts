/** One case of the fault list: what may go wrong, what comes of it, and which tests prove that. */
export interface FaultCase {
  /** A group's letter and a number: P process, Q output, S store, C concurrency, V server, H HTTP. */
  id: string;
  fault: string;
  /** In the API's words; what stands in backticks also stands in the files of the tests. */
  outcome: string;
  /** None where it can't be proven yet; then `leftOut` says why. */
  provenBy: readonly Proof[];
  leftOut?: string;
}

export interface Proof {
  /** Below `test/`. */
  file: string;
  /** The test's title as its file has it, with `%s` and `${…}` as they stand there. */
  title: string;
  /** Where one test goes through a table: the beginning of the row's name. */
  row?: string;
}

/** Short for what `FaultCase` holds. */
export function faultCase(id: string, fault: string, outcome: string, ...provenBy: Proof[]): FaultCase {
  return { id, fault, outcome, provenBy };
}

export function leftOut(id: string, fault: string, reason: string): FaultCase {
  return { id, fault, outcome: "", provenBy: [], leftOut: reason };
}

/** Tests of one file: `inFile("e2e/queue.test.ts")("title", "row")`. */
export function inFile(file: string): (title: string, row?: string) => Proof {
  return (title, row) => (row === undefined ? { file, title } : { file, title, row });
}
