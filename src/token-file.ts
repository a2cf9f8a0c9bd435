import { chmodSync, closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

export type TokenOutcome = { kind: "ok"; token: string } | { kind: "bad"; message: string };

const tokenPattern = /^[!-~]{16,512}$/;

/** The token of this data directory; made at the first start, readable for its owner only. */
export function readOrMakeToken(dataDir: string, makeToken: () => string): TokenOutcome {
  const path = join(dataDir, "token");
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
    const file = openSync(path, "wx", 0o600);
    writeSync(file, `${token}\n`);
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
