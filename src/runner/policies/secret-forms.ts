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

function decodedOrItself(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text;
  }
}

/** Every form of every secret, each once: of two variables with one value the first gives its name. */
export function listForms(secrets: readonly Secret[]): Form[] {
  const forms = new Map<string, Form>();
  for (const { variable, value } of secrets) {
    for (const text of formsOf(value)) if (!forms.has(text)) forms.set(text, { text, variable });
  }
  return [...forms.values()];
}

/** As itself, escaped for JSON some times over, inside a URL, as base64 wherever it stands in it, and as hex. */
export function formsOf(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  const hex = bytes.toString("hex");
  const plain = [value, ...escapedForJson(value), ...percentEncoded(value), hex, hex.toUpperCase()];
  const forms = [...plain, ...base64Forms(bytes)].filter((form) => form.length >= secretCharsMin);
  return [...new Set(forms)];
}

/**
 * A tool's result that is JSON stands in a line of JSON, and may have held JSON itself. Each level doubles the
 * backslashes, so there is an end to it.
 */
const escapeLevelsMax = 6;

function escapedForJson(value: string): string[] {
  const forms: string[] = [];
  for (
    let form = inJson(value);
    forms.length < escapeLevelsMax && form !== forms.at(-1);
    form = inJson(form)
  ) {
    forms.push(form);
  }
  return forms;
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Half a surrogate pair has no UTF-8 of its own; it is encoded as the character that stands for what isn't any. */
function percentEncoded(value: string): string[] {
  const upper = encodeURIComponent(value.toWellFormed());
  const asForm = new URLSearchParams([["", value]]).toString().slice(1);
  return [upper, encodeURI(value.toWellFormed()), asForm].flatMap((form) => [form, lowerHex(form)]);
}

function lowerHex(encoded: string): string {
  return encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}

/** Tools that write base64 into lines break them after so many characters. */
const base64Widths = [76, 64];

function base64Forms(bytes: Buffer): string[] {
  const standard = [0, 1, 2].flatMap((offset) => base64At(bytes, offset));
  const forUrls = standard.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"));
  const whole = bytes.toString("base64");
  const inLines = base64Widths
    .filter((width) => whole.length > width)
    .map((width) => whole.match(new RegExp(`.{1,${width}}`, "g"))!.join("\n"));
  return [...standard, ...forUrls, ...inLines, ...inLines.map(inJson)];
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
