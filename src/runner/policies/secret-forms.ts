import { asItStands, decodedOrItself, withoutPercents } from "./text-views.ts";

/** Variables whose values are secrets, by name. A path to a socket (`SSH_AUTH_SOCK`) is none. */
const secretName =
  /KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|(?:^|[_:])(?:PASS|PWD|PAT|AUTH|COOKIE)$/i;
/** The shell's own notes of where it is and was. */
const workingFolders = new Set(["PWD", "OLDPWD"]);
/** Shorter values would mask ordinary words. */
export const secretCharsMin = 6;

export interface Secret {
  variable: string;
  value: string;
}

/** One of the ways in which a tool prints a secret. */
export interface Form {
  text: string;
  variable: string;
  /** Then it may be broken into lines. */
  isBase64: boolean;
}

/** The values of secret variables, and the passwords within addresses (`https://user:password@host`) in any. */
export function findSecrets(environment: Readonly<Record<string, string | undefined>>): Secret[] {
  const secrets: Secret[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    if (!value) continue;
    const isSecret = secretName.test(variable) && !workingFolders.has(variable);
    const values = isSecret ? [value, value.trim(), ...passwordsIn(value)] : passwordsIn(value);
    for (const each of new Set(values))
      if (each.length >= secretCharsMin) secrets.push({ variable, value: each });
  }
  return secrets.sort((a, b) => b.value.length - a.value.length);
}

function passwordsIn(value: string): string[] {
  const password = /^[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#@:]{0,500}:([^\s/?#@]{1,500})@/i.exec(value)?.[1];
  if (password === undefined) return [];
  return [password, decodedOrItself(password)];
}

/** Every form of every secret, each once: of two variables with one value the first gives its name. */
export function listForms(secrets: readonly Secret[]): Form[] {
  return listed(secrets, (value) => [...escapedForms(value), ...encodedForms(value)]);
}

/** What a secret reads as in a text whose escapes are decoded, whichever of its characters were escaped in it. */
export function listReadings(secrets: readonly Secret[]): Form[] {
  return listed(secrets, (value) => [...readingsOf(value), ...encodedForms(value)]);
}

function listed(secrets: readonly Secret[], formsOfValue: (value: string) => string[]): Form[] {
  const forms = new Map<string, Form>();
  for (const { variable, value } of secrets) {
    const inBase64 = new Set(base64Forms(Buffer.from(value, "utf8")));
    for (const text of longEnough(formsOfValue(value))) {
      if (!forms.has(text)) forms.set(text, { text, variable, isBase64: inBase64.has(text) });
    }
  }
  return [...forms.values()];
}

/** As itself, escaped for JSON some times over, inside a URL, as base64 wherever it stands in it, and as hex. */
export function formsOf(value: string): string[] {
  return [...new Set(longEnough([...escapedForms(value), ...encodedForms(value)]))];
}

function longEnough(forms: readonly string[]): string[] {
  return forms.filter((form) => form.length >= secretCharsMin);
}

function escapedForms(value: string): string[] {
  return [value, ...escapedForJson(value), ...percentEncoded(value)];
}

function encodedForms(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  const hex = bytes.toString("hex");
  return [hex, hex.toUpperCase(), ...base64Forms(bytes)];
}

/** A value that holds percent-encodings itself reads as another one where a tool left these as they are. */
function readingsOf(value: string): string[] {
  const once = withoutPercents(asItStands(value));
  return [value, value.toWellFormed(), once.text, withoutPercents(once).text];
}

/**
 * A tool's result that is JSON stands in a line of JSON, and may have held JSON itself. Each level doubles the
 * backslashes, so there is an end to it.
 */
export const escapeLevelsMax = 6;

function escapedForJson(value: string): string[] {
  const forms: string[] = [];
  for (
    let form = inJson(value);
    forms.length < escapeLevelsMax && form !== forms.at(-1);
    form = inJson(form)
  ) {
    forms.push(form);
  }
  return [...forms, ...otherJson(value)];
}

/** As PHP, Go and Python write it; a stream's pieces of these are known too, other mixtures only as a whole. */
function otherJson(value: string): string[] {
  const json = inJson(value);
  const ascii = json.replace(/[\u007f-\uffff]/g, unicodeEscape);
  const slashes = json.replaceAll("/", "\\/");
  const once = [
    ascii,
    slashes,
    ascii.replaceAll("/", "\\/"),
    json.replace(/[&<>\u2028\u2029]/g, unicodeEscape),
  ];
  return [...once, ...once.map(inJson)];
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Half a surrogate pair has no UTF-8 of its own; it is encoded as the character that stands for what isn't any. */
function percentEncoded(value: string): string[] {
  const component = encodeURIComponent(value.toWellFormed());
  const strict = component.replace(/[!'()*]/g, hexEscape);
  const strictest = strict.replaceAll("~", "%7E");
  const asForm = new URLSearchParams([["", value]]).toString().slice(1);
  const withSlashes = [strict, strictest, asForm].map((form) => form.replaceAll("%2F", "/"));
  const forms = [component, encodeURI(value.toWellFormed()), asForm, strict, strictest, ...withSlashes];
  return forms.flatMap((form) => [form, lowerHex(form)]);
}

function hexEscape(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function lowerHex(encoded: string): string {
  return encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}

function base64Forms(bytes: Buffer): string[] {
  const standard = [0, 1, 2].flatMap((offset) => base64At(bytes, offset));
  const forUrls = standard.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"));
  return [...standard, ...forUrls];
}

/**
 * What stands in base64 when this many bytes come before the value, modulo 3: without the characters that hold
 * bits of a neighbour; and with the end as it is when the value is the last.
 */
function base64At(bytes: Buffer, offset: number): string[] {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  const from = Math.ceil((offset * 8) / 6);
  const wholeTo = Math.floor(((offset + bytes.length) * 8) / 6);
  const unpadded = encoded.replace(/=+$/, "");
  return [encoded.slice(from), unpadded.slice(from), encoded.slice(from, wholeTo)];
}
