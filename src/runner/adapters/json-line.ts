/** Undefined for what isn't JSON. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (error) {
    // A banner or a torn line; RangeError is what the parser says to brackets nested too deeply.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Null for what is no JSON object. */
export function parseObject(json: string): Record<string, unknown> | null {
  const value = parseJson(json);
  return isObject(value) ? value : null;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** By which CLIs tell their lines apart. */
export function typeOf({ type }: Record<string, unknown>): string {
  return typeof type === "string" ? type : "(no type)";
}

/**
 * JSON escapes every control character, so any text is one line and arrives as it is. The two line ends of
 * Unicode it leaves as they are; Droid ends its lines there, too (0.225.2 answers "Invalid JSON").
 */
export function toLine(message: object): string {
  const json = JSON.stringify(message).replaceAll("\u2028", String.raw`\u2028`);
  return `${json.replaceAll("\u2029", String.raw`\u2029`)}\n`;
}
