/*
 * What an agent names by itself is kept, shown and handed back, so it has a length and is plain text. A name that
 * isn't is no name at all: cut, two of them could become one.
 */

const versionCharsMax = 64;
const modelCharsMax = 128;
const sessionIdCharsMax = 200;
const toolIdCharsMax = 200;

export function isVersion(name: string): boolean {
  return isName(name, versionCharsMax);
}

export function isModel(name: string): boolean {
  return isName(name, modelCharsMax);
}

export function isSessionId(name: string): boolean {
  return isName(name, sessionIdCharsMax);
}

export function isToolId(name: string): boolean {
  return isName(name, toolIdCharsMax);
}

/** Without control characters (tabs and line ends are such, too) and without what turns the writing round. */
function isName(name: string, charsMax: number): boolean {
  return name.trim() !== "" && name.length <= charsMax && !/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.test(name);
}
