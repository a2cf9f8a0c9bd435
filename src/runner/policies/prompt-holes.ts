import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import type { Hole } from "../../domain/ports.ts";
import type { Region } from "./find-forms.ts";
import { findSecrets, formsOf } from "./secret-forms.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What no list of forms holds is kept under a lock that only the variable's value opens. */
type SealedHole = Hole & { sealed?: string };

/** A text without the parts that are secret, and where they were. */
export function cutOut(
  text: string,
  regions: readonly Region[],
  { maskOf, environment }: { maskOf: (variable: string) => string; environment: Environment },
): { text: string; holes: Hole[] } {
  const holes: SealedHole[] = [];
  let masked = "";
  let from = 0;
  for (const region of regions) {
    const { variable } = region;
    masked += text.slice(from, region.from);
    const mask = maskOf(variable);
    const cut = text.slice(region.from, region.to);
    const hole = { at: masked.length, length: mask.length, variable, sha256: hashOf(cut) };
    const isListed = formsOfVariable(variable, environment).includes(cut);
    holes.push(isListed ? hole : { ...hole, sealed: seal(cut, environment[variable]!) });
    masked += mask;
    from = region.to;
  }
  return { text: masked + text.slice(from), holes };
}

/** A hole whose variable has changed, or is gone, stays masked. */
export function fillIn(text: string, holes: readonly SealedHole[], environment: Environment): string {
  let filled = "";
  let from = 0;
  for (const hole of holes) {
    const cut = cutFrom(hole, environment);
    if (cut === null) continue;
    filled += text.slice(from, hole.at) + cut;
    from = hole.at + hole.length;
  }
  return filled + text.slice(from);
}

function cutFrom({ variable, sha256, sealed }: SealedHole, environment: Environment): string | null {
  if (sealed === undefined)
    return formsOfVariable(variable, environment).find((form) => hashOf(form) === sha256) ?? null;
  const value = environment[variable];
  if (value === undefined) return null;
  const cut = unseal(sealed, sha256, value);
  return hashOf(cut) === sha256 ? cut : null;
}

/** The hash of what is sealed serves as its nonce, so that no two texts have one; it also tells whether it opened. */
function seal(text: string, value: string): string {
  const cipher = createCipheriv("aes-256-ctr", keyOf(value), nonceOf(hashOf(text)));
  return Buffer.concat([cipher.update(text, "utf16le"), cipher.final()]).toString("base64");
}

function unseal(sealed: string, sha256: string, value: string): string {
  const decipher = createDecipheriv("aes-256-ctr", keyOf(value), nonceOf(sha256));
  return Buffer.concat([decipher.update(sealed, "base64"), decipher.final()]).toString("utf16le");
}

function keyOf(value: string): Buffer {
  return createHash("sha256").update("what was cut out of a prompt\0").update(value).digest();
}

function nonceOf(sha256: string): Buffer {
  return Buffer.from(sha256, "hex").subarray(0, 16);
}

function formsOfVariable(variable: string, environment: Environment): string[] {
  return findSecrets({ [variable]: environment[variable] }).flatMap(({ value }) => formsOf(value));
}

function hashOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
