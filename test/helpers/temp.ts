import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface TempFolder extends Disposable {
  /** A real path, without links in it. */
  path: string;
}

/** A folder of its own, removed with everything in it when it goes out of scope. */
export function makeTempFolder(): TempFolder {
  const path = mkdtempSync(join(realpathSync(tmpdir()), "headway-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Files below a folder, by their paths in it, with the folders that they need. */
export function writeFiles(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text);
  }
}
