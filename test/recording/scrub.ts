/** What is replaced in everything that a recording keeps: the text as it was, and what stands for it. */
export type Replacements = readonly (readonly [actual: string, placeholder: string])[];

const noon = "2026-01-01T12:00:00.000Z";
const noonMs = String(Date.parse(noon));
/** Longer lists of words and of small objects are cut: what tools and commands there are is no dialect. */
const listItemsMax = 8;
const keptItems = 3;

/**
 * Takes the machine's and the moment's facts out of a recording, so that two of the same version are alike:
 * paths, hosts and ports as they are given, ids by their order of appearance, times and durations. One
 * scrubber is for one recording: an id that comes twice has the same placeholder in both places. Versions
 * stay.
 */
export function createScrubber(replacements: Replacements): (text: string) => string {
  const ids = new Map<string, string>();
  const longestFirst = replacements.toSorted(([one], [other]) => other.length - one.length);

  function placeholderFor(id: string, make: (number: number) => string): string {
    const known = ids.get(id) ?? make(ids.size + 1);
    ids.set(id, known);
    return known;
  }
  return (text) => {
    let scrubbed = text;
    for (const [actual, placeholder] of longestFirst) scrubbed = scrubbed.replaceAll(actual, placeholder);
    return scrubbed
      .replaceAll(uuid, (id) =>
        placeholderFor(id, (number) => `${padded(number, 8)}-0000-4000-8000-000000000000`),
      )
      .replaceAll(prefixedId, (id, prefix: string) =>
        placeholderFor(id, (number) => `${prefix}${padded(number, 8)}`),
      )
      .replaceAll(hexId, (id) => placeholderFor(id, (number) => padded(number, id.length)))
      .replaceAll(isoTime, noon)
      .replaceAll(dateInWords, "Thursday, January 1, 2026")
      .replaceAll(unixMs, noonMs)
      .replaceAll(socketOfProcess, "/1.sock")
      .replaceAll(processGroup, (_whole, before: string) => `${before}1`)
      .replaceAll(measured, (_whole, key: string) => `${key}1`);
  };
}

const uuid = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;
const prefixedId =
  /(?<![A-Za-z0-9])((?:msg|toolu|call|req|chatcmpl|resp|ses|prt|tool|fake)[_-])(?=[A-Za-z]*\d)[A-Za-z0-9]{8,}\b/g;
const hexId = /\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)(?:[0-9a-f]{32}|[0-9a-f]{16})\b/g;
/** Also as a part of a file's name, where it has no colons. */
const isoTime = /\b20\d\d-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\d(?:[.-]\d+)?(?:Z|[+-]\d\d:\d\d)/g;
const dateInWords = /\b[A-Z][a-z]+day, [A-Z][a-z]+ \d{1,2}, 20\d\d\b/g;
const unixMs = /\b1[6-9]\d{11}\b/g;
/** Gemini CLI tells its model, and the fake model tells it again, number by number. */
const processGroup = /(PGID: |"(?:text|content|textDelta)":" )\d{3,7}\b/g;
const socketOfProcess = /\/\d+\.sock\b/g;
/** Times, durations, process ids and what memory was used. */
const measured =
  /("(?:\w*(?:_ms|Ms|_at|At|timestamp|[Dd]uration|elapsed\w*|[Uu]ptime|[Pp]id)|rss|time)":\s?)\d+(?:\.\d+)?/g;

function padded(number: number, length: number): string {
  return String(number).padStart(length, "0");
}

/** A JSON line with its long lists cut; any other line as it is. */
export function cutLists(line: string): string {
  if (!line.startsWith("{")) return line;
  let isCut = false;
  const value: unknown = JSON.parse(line, (_key, part: unknown) => {
    if (!Array.isArray(part) || part.length <= listItemsMax || !isCatalogue(part)) return part;
    isCut = true;
    return part.slice(0, keptItems) as unknown[];
  });
  return isCut ? JSON.stringify(value) : line;
}

/** Names, or things with a name; messages and blocks of text have none. */
function isCatalogue(items: readonly unknown[]): boolean {
  return items.every(
    (item) =>
      typeof item === "string" ||
      (typeof item === "object" && item !== null && ("name" in item || "value" in item || "modelId" in item)),
  );
}
