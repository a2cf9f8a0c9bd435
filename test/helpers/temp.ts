import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempFolder extends Disposable {
  /** A real path, without links in it. */
  path: string;
}

/** A folder of its own, removed with everything in it when it goes out of scope. */
export function makeTempFolder(): TempFolder {
  const path = mkdtempSync(join(realpathSync(tmpdir()), "headway-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}
