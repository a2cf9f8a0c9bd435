import type { Hole } from "../../domain/ports.ts";
import type { Region } from "./find-forms.ts";
import { findSecrets, formsOf } from "./secret-forms.ts";

/** A text without the parts that are secret, and where they were. */
export function cutOut(
  text: string,
  regions: readonly Region[],
  maskOf: (variable: string) => string,
): { text: string; holes: Hole[] } {
  const holes: Hole[] = [];
  let masked = "";
  let from = 0;
  for (const region of regions) {
    const { variable } = region;
    masked += text.slice(from, region.from);
    const mask = maskOf(variable);
    const sha256 = hashOf(text.slice(region.from, region.to));
    holes.push({ at: masked.length, length: mask.length, variable, sha256 });
    masked += mask;
    from = region.to;
  }
  return { text: masked + text.slice(from), holes };
}

/** A hole whose variable has changed, or is gone, stays masked. */
export function fillIn(
  text: string,
  holes: readonly Hole[],
  environment: Readonly<Record<string, string | undefined>>,
): string {
  let filled = "";
  let from = 0;
  for (const { at, length, variable, sha256 } of holes) {
    const cut = formsOfVariable(variable, environment).find((form) => hashOf(form) === sha256);
    if (cut === undefined) continue;
    filled += text.slice(from, at) + cut;
    from = at + length;
  }
  return filled + text.slice(from);
}

function formsOfVariable(
  variable: string,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  return findSecrets({ [variable]: environment[variable] }).flatMap(({ value }) => formsOf(value));
}

function hashOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
