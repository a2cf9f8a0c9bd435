/** No letter of a key before it; a letter that ends an escape of JSON ("\nsk-…") is no letter of a key. */
const start = String.raw`(?:(?<![A-Za-z0-9_-])|(?<=\\[bfnrt]))`;

/**
 * Things that are keys by their shape, wherever they come from. Every repetition is bounded, or begins where no
 * other attempt at the same characters can, so that the time is linear in the text.
 */
const shapes = new RegExp(
  [
    `${start}(?:${[
      "sk-[A-Za-z0-9_-]{16,}",
      "fk-[A-Za-z0-9_-]{16,}",
      "gh[pousr]_[A-Za-z0-9]{20,}",
      "github_pat_[A-Za-z0-9]{20}[A-Za-z0-9_]*",
      "glpat-[A-Za-z0-9_-]{16,}",
      "npm_[A-Za-z0-9]{30,}",
      "AIza[A-Za-z0-9_-]{30,}",
      "ya29\\.[A-Za-z0-9_-]{20,}",
      "xox[abeoprs]-[A-Za-z0-9-]{10,}",
      "xapp-[A-Za-z0-9-]{10,}",
      "(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])",
      "eyJ[A-Za-z0-9_-]{6,}\\.[A-Za-z0-9_-]{6,}\\.[A-Za-z0-9_-]*",
    ].join("|")})`,
    // A private key in PEM, whether its lines are ended or escaped; one that is cut off as far as it came.
    '-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-"]|-(?!----)){0,20000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?',
    // What stands before the key stays, so that one sees what it was.
    "(?<=[Bb]earer {1,4})[A-Za-z0-9._~+/=-]{16,}",
    "(?<=[Aa]uthorization[\"': \\\\]{1,8}[Bb]asic {1,4})[A-Za-z0-9+/=]{6,}",
    "(?<=://[^\\s/?#@:\"'\\\\]{0,64}:)[^\\s/?#@:\"'\\\\]{1,200}(?=@)",
  ].join("|"),
  "g",
);

/** What every one of them has: found several times faster, and mostly not there. */
const hints = new RegExp(
  [
    "[sf]k-[A-Za-z0-9_-]{16}",
    "(?:gh[pousr]|npm|github_pat)_[A-Za-z0-9]{20}",
    "glpat-",
    "AIza[A-Za-z0-9_-]{30}",
    "ya29\\.",
    "xox[abeoprs]-",
    "xapp-",
    "AKIA|ASIA",
    "eyJ[A-Za-z0-9_-]{6}",
    "-----BEGIN [A-Z ]{0,40}PRIVATE KEY",
    "[Bb]earer {1,4}[A-Za-z0-9._~+/=-]{16}",
    "[Bb]asic {1,4}[A-Za-z0-9+/=]{6}",
    "://[^\\s/?#@:\"'\\\\]{0,64}:[^\\s/?#@:\"'\\\\]{1,200}@",
  ].join("|"),
);

export function maskShapes(text: string): string {
  return hints.test(text) ? text.replace(shapes, "[redacted]") : text;
}

/** Longest end of a text that is held back because a key in it may go on. */
const heldCharsMax = 4_096;
const heldPemCharsMax = 20_480;
/** What announces a key, at the end of what comes before it. */
const announcement = /(?:[Bb]earer|[Aa]uthorization["': \\]{1,8}(?:[Bb]asic)?) {0,4}$/;
const announcementCharsMax = 40;

/** Where the end of the text begins that can't be judged yet: its last word, or a private key without its end. */
export function openEnd(text: string): number {
  const pem = text.lastIndexOf("-----BEGIN ");
  if (pem >= 0 && text.length - pem < heldPemCharsMax && !/-----END [A-Z ]{0,40}-----/.test(text.slice(pem)))
    return pem;
  let word = text.length;
  while (word > 0 && text.length - word < heldCharsMax && !isSpace(text.charCodeAt(word - 1))) word -= 1;
  const before = text.slice(Math.max(0, word - announcementCharsMax), word);
  return word - (announcement.exec(before)?.[0].length ?? 0);
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
}
