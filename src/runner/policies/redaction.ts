import type { Hole } from "../../domain/ports.ts";

/** Variables whose values are secrets, by name. */
const secretName = /KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL/i;
/** Shorter values would mask ordinary words. */
const secretCharsMin = 6;

/** Things that look like keys wherever they come from; only for logs and error texts, never for what is delivered. */
const keyShapes =
  /\b(?:sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|AIza[A-Za-z0-9_-]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16})/g;

interface Secret {
  variable: string;
  value: string;
}

/** Masks the values of secret variables, in whatever form they appear. */
export interface Redactor {
  /** For everything that is stored or shown. */
  text(text: string): string;
  /** `text` and what merely looks like a key: for logs and error texts. */
  log(text: string): string;
  /** Inside any JSON value: every string in it, keys included. */
  json(value: unknown): unknown;
  /** A prompt as it is stored, with the places where values were cut out. */
  prompt(text: string): { text: string; holes: Hole[] };
  /** The prompt as it was sent; a hole whose variable has changed stays masked. */
  restore(text: string, holes: readonly Hole[]): string;
  /** For text that comes in pieces: a value split over two pieces is masked too. */
  stream(): RedactionStream;
}

export interface RedactionStream {
  /** What can be shown now; the rest is held back until the next piece decides. */
  push(piece: string): string;
  /** What was held back. */
  end(): string;
}

export function createRedactor(environment: Readonly<Record<string, string | undefined>>): Redactor {
  const secrets = findSecrets(environment);
  const masks = new Map(
    secrets.flatMap((secret) => formsOf(secret.value).map((form) => [form, maskOf(secret)] as const)),
  );
  const pattern = anyOf([...masks.keys()]);
  const text = (value: string) =>
    pattern ? value.replace(pattern, (form) => masks.get(form) ?? "[redacted]") : value;
  return {
    text,
    log: (value) => text(value).replace(keyShapes, "[redacted]"),
    json: (value) => (pattern ? redactJson(value, pattern, text) : value),
    prompt: (value) => cutOut(value, secrets),
    restore: (value, holes) => fillIn(value, holes, environment),
    stream: () => createStream(text, [...masks.keys()]),
  };
}

function findSecrets(environment: Readonly<Record<string, string | undefined>>): Secret[] {
  const secrets: Secret[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    if (value && value.length >= secretCharsMin && secretName.test(variable))
      secrets.push({ variable, value });
  }
  return secrets.sort((a, b) => b.value.length - a.value.length);
}

/** As itself, inside JSON, inside a URL, and as base64: the ways in which tools print a value. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
  return [...new Set([...forms, bytes.toString("base64"), bytes.toString("base64url")])];
}

function maskOf(secret: Secret): string {
  return `[redacted:${secret.variable}]`;
}

function anyOf(forms: string[]): RegExp | null {
  if (forms.length === 0) return null;
  const longestFirst = forms.sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((form) => form.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|"), "g");
}

function redactJson(value: unknown, pattern: RegExp, text: (value: string) => string): unknown {
  const json = JSON.stringify(value);
  if (json === undefined || json.search(pattern) < 0) return value;
  // Walked value by value: in the JSON text a secret made of digits would leave no JSON behind.
  return redactStrings(value, text);
}

function redactStrings(value: unknown, text: (value: string) => string): unknown {
  if (typeof value === "string") return text(value);
  if (typeof value === "number" || typeof value === "bigint")
    return text(String(value)) === String(value) ? value : null;
  if (Array.isArray(value)) return value.map((item) => redactStrings(item, text));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [text(key), redactStrings(item, text)]),
  );
}

function cutOut(text: string, secrets: readonly Secret[]): { text: string; holes: Hole[] } {
  const byValue = new Map(secrets.map((secret) => [secret.value, secret]));
  const pattern = anyOf([...byValue.keys()]);
  if (!pattern) return { text, holes: [] };
  const holes: Hole[] = [];
  let masked = "";
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const secret = byValue.get(match[0]);
    if (!secret) continue;
    masked += text.slice(from, match.index);
    const mask = maskOf(secret);
    holes.push({
      at: masked.length,
      length: mask.length,
      variable: secret.variable,
      sha256: sha256(secret.value),
    });
    masked += mask;
    from = match.index + match[0].length;
  }
  return { text: masked + text.slice(from), holes };
}

function fillIn(
  text: string,
  holes: readonly Hole[],
  environment: Readonly<Record<string, string | undefined>>,
): string {
  let filled = "";
  let from = 0;
  for (const hole of holes) {
    const value = environment[hole.variable];
    if (value === undefined || sha256(value) !== hole.sha256) continue;
    filled += text.slice(from, hole.at) + value;
    from = hole.at + hole.length;
  }
  return filled + text.slice(from);
}

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

function createStream(redact: (text: string) => string, forms: readonly string[]): RedactionStream {
  let held = "";
  return {
    push(piece) {
      if (forms.length === 0) return piece;
      const whole = redact(held + piece);
      const keep = heldBack(whole, forms);
      held = whole.slice(whole.length - keep);
      return whole.slice(0, whole.length - keep);
    },
    end() {
      const rest = held;
      held = "";
      return rest;
    },
  };
}

/** Length of the longest end of `text` that could be the beginning of a secret. */
function heldBack(text: string, forms: readonly string[]): number {
  let longest = 0;
  for (const form of forms) {
    const most = Math.min(form.length - 1, text.length);
    for (let length = most; length > longest; length--) {
      if (
        text.charCodeAt(text.length - length) === form.charCodeAt(0) &&
        text.endsWith(form.slice(0, length))
      ) {
        longest = length;
        break;
      }
    }
  }
  return longest;
}
