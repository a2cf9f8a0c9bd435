import { describe } from "bun:test";
import { promisesAboutErrors } from "./contract-of-errors.ts";
import { promisesAboutInputs } from "./contract-of-inputs.ts";
import { promisesAboutOddLines } from "./contract-of-odd-lines.ts";
import { promisesAboutProcesses } from "./contract-of-processes.ts";
import { promisesAboutTurns } from "./contract-of-turns.ts";
import { type AnyDialectCase, nameOfCase } from "./dialect-case.ts";
import { excusesAreGiven, nothingIsForgotten, prepare } from "./keeping.ts";

/** What every dialect has to do; a new one gets all these tests by one call. See dialect-case.ts for how. */
export function dialectContract(given: AnyDialectCase): void {
  describe(`${nameOfCase(given)}:`, () => {
    const subject = prepare(given);
    promisesAboutTurns(subject);
    promisesAboutErrors(subject);
    promisesAboutInputs(subject);
    promisesAboutOddLines(subject);
    promisesAboutProcesses(subject);
    excusesAreGiven(subject);
    nothingIsForgotten(subject);
  });
}
