import { join } from "node:path";
import { systemClock } from "../../src/domain/clock.ts";
import { checkIntegrity } from "../../src/integrity/check.ts";
import { openReader } from "../../src/store/database.ts";

/**
 * Throws with the violations when something isn't true that must be true of every database. `recovered` is
 * false when its server was killed and no other one has recovered its runs since.
 */
export function assertIntegrity(dataDir: string, options: { recovered?: boolean } = {}): void {
  const database = openReader(join(dataDir, "headway.db"));
  try {
    const { checks } = checkIntegrity(database, { recovered: options.recovered ?? true, clock: systemClock });
    const broken = checks.filter(({ violations }) => violations.length > 0);
    const shown = broken.map(
      ({ id, description, violations }) => `${id} ${description}: ${violations.join(", ")}`,
    );
    if (broken.length > 0) throw new Error(`The data breaks its rules:\n${shown.join("\n")}`);
  } finally {
    database.close();
  }
}
