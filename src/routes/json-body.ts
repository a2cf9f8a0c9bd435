import type { Context } from "hono";

export type JsonBody =
  | { kind: "read"; value: unknown }
  | { kind: "malformed"; detail: string }
  /** The place of a text, or of a key, that holds half of a character. */
  | { kind: "half_character"; path: string };

/**
 * The body as JSON in UTF-8. What isn't UTF-8 would otherwise be read with U+FFFD in its place, and kept so; an
 * escape like `\ud800` spells half a character, which no UTF-8 has either.
 */
export async function readJsonBody(c: Context): Promise<JsonBody> {
  const text = decode(await readBytes(c));
  if (text === null) return { kind: "malformed", detail: "The body is not whole, or not UTF-8." };
  const parsed = parse(text);
  if (parsed === null) return { kind: "malformed", detail: "The body is not valid JSON." };
  const path = surrogateEscape.test(text) ? findHalfCharacter(parsed.value) : null;
  return path === null ? { kind: "read", ...parsed } : { kind: "half_character", path };
}

/** True where a media type says nothing of its charset, or that it is UTF-8. */
export function isUtf8(parameters: readonly string[]): boolean {
  const charsets = parameters.flatMap((parameter) => /^\s*charset\s*=(.*)$/i.exec(parameter)?.[1] ?? []);
  return charsets.every((charset) => /^\s*("?)utf-?8\1\s*$/i.test(charset));
}

/** Null when the client went away before it had sent all. */
async function readBytes(c: Context): Promise<ArrayBuffer | null> {
  try {
    return await c.req.arrayBuffer();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    throw error;
  }
}

function decode(bytes: ArrayBuffer | null): string | null {
  if (bytes === null) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

function parse(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

/** Half a character can only be spelt out: the text itself was UTF-8. */
const surrogateEscape = /\\u[dD][89a-fA-F]/;

interface Place {
  name: string;
  value: unknown;
  within: Place | null;
}

/** Without recursion: a body may be nested deeper than the stack. */
function findHalfCharacter(root: unknown): string | null {
  const places: Place[] = [{ name: "", value: root, within: null }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const { name, value } = place;
    if (!name.isWellFormed() || (typeof value === "string" && !value.isWellFormed())) return pathOf(place);
    if (typeof value !== "object" || value === null) continue;
    for (const [key, inner] of Object.entries(value)) places.push({ name: key, value: inner, within: place });
  }
  return null;
}

function pathOf(place: Place): string {
  const names: string[] = [];
  for (let at: Place = place; at.within !== null; at = at.within) names.push(at.name.toWellFormed());
  return names.toReversed().join(".");
}
