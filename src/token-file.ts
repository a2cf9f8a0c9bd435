import { chmodSync, closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { refuseByKind } from "./store/file-kind.ts";

export type TokenOutcome = { kind: "ok"; token: string } | { kind: "bad"; message: string };

const tokenPattern = /^[!-~]{16,512}$/;

/** The token of this data directory; made at the first start, readable for its owner only. */
export function readOrMakeToken(dataDir: string, makeToken: () => string): TokenOutcome {
  const path = join(dataDir, "token");
  const refusal = refuseByKind(path);
  if (refusal !== null) return { kind: "bad", message: `${path} ${refusal}` };
  const made = makeToken();
  if (createOnce(path, made)) return { kind: "ok", token: made };
  chmodSync(path, 0o600);
  const token = readFileSync(path, "utf8").trim();
  if (tokenPattern.test(token)) return { kind: "ok", token };
  return {
    kind: "bad",
    message: `${path} holds no token (16 to 512 visible characters); delete it to have one made`,
  };
}

/** Never opened for writing when it is there: two starts at once agree on one token. */
function createOnce(path: string, token: string): boolean {
  try {
    write(path, openSync(path, "wx", 0o600), `${token}\n`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Where a full disk leaves a part of it, that is taken away: the next start would find no token in it. */
function write(path: string, file: number, text: string): void {
  try {
    writeSync(file, text);
  } catch (error) {
    rmSync(path);
    throw error;
  } finally {
    closeSync(file);
  }
}
