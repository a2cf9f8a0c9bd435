import { type FaultCase, faultCase, inFile } from "./fault-case.ts";

const here = inFile("faults/http.test.ts");
const bodies = inFile("routes/bodies.test.ts");
const text = inFile("routes/body-text.test.ts");
const cursors = inFile("routes/cursors.test.ts");
const hosts = inFile("routes/host-check.test.ts");
const origins = inFile("routes/origin-check.test.ts");
const tokens = inFile("routes/every-route-needs-the-token.test.ts");

/** What a client can send. */
export const httpCases: readonly FaultCase[] = [
  faultCase(
    "H1",
    "A body of more than 8 MiB",
    "413 `payload_too_large`, whichever way it is sent",
    inFile("routes/body-size.test.ts")("${what} that tells its length is answered with 413"),
    inFile("routes/body-size.test.ts")("${what} in chunks is answered with 413"),
  ),
  faultCase(
    "H2",
    "Malformed JSON, or a body that isn't UTF-8",
    "400 `malformed`; 422 `invalid` for an escape that spells half a character; nothing is stored",
    bodies("is malformed, as ${JSON.stringify(text)} is"),
    text("is malformed on every route: ${what}"),
    text("is refused, too, when it spells out half a character: ${which}"),
  ),
  faultCase(
    "H3",
    "A body of another type, or in another charset",
    "415",
    bodies("is refused with 415, as ${JSON.stringify(type)} is"),
  ),
  faultCase(
    "H4",
    "Ids that are long, of other scripts, or paths",
    "404 or 422; no file is touched",
    bodies("${JSON.stringify(name.slice(0, 30))} finds nothing anywhere"),
    hosts("paths that climb out of their folder find nothing"),
  ),
  faultCase(
    "H5",
    "A POST of another site with a valid cookie",
    "403",
    origins("a foreign Origin with a login"),
    origins("changes nothing on any route without a sign that our own page asks"),
  ),
  faultCase(
    "H6",
    "A foreign Host, or two",
    "403 on every method, before anything else",
    hosts("every route refuses a foreign Host with 403, whatever the token"),
    hosts("two Host headers are refused, in either order"),
    hosts("a POST that rebinds is refused although its token is right"),
  ),
  faultCase(
    "H7",
    "A missing or wrong token",
    "401 on every route but the open ones",
    tokens("without a token every route but the open ones answers 401 as a problem"),
    tokens("${what} opens no route"),
  ),
  faultCase(
    "H8",
    "An unknown path or a wrong method",
    "404 `not_found`, 405 `method_not_allowed` with Allow",
    bodies("that nobody serves are 404"),
    bodies("that don't go together are 405 with Allow: ${method} ${path}"),
  ),
  faultCase(
    "H9",
    "200 clients that never end their requests",
    "Nobody else notices; nothing is started",
    here("H9: 200 clients that never end their requests hold up nobody else"),
  ),
  faultCase(
    "H10",
    "Event streams without a token, or too many",
    "401; 429 `too_many_streams` above the limit of 2,000",
    tokens("an event stream without a token is refused, and none is opened"),
    inFile("routes/event-stream.test.ts")("there are no more streams than allowed"),
    inFile("faults/http.long.ts")(
      "H10: of 2,050 streams 2,000 are served, the others told to come later, and the server lives on",
    ),
  ),
  faultCase(
    "H11",
    "A prompt that is empty, longer than 1 MiB, or has NULs",
    "422 `invalid` or `prompt_too_long`",
    bodies("are refused: ${what}", "a prompt of NULs"),
    inFile("e2e/containment.test.ts")(
      "a prompt of 1 MiB arrives whole; one byte more, none at all, or a NUL is refused",
    ),
  ),
  faultCase(
    "H12",
    "Prompts that look like options, commands or protocol",
    "The CLI's arguments are the same for all, and each arrives byte for byte",
    inFile("e2e/containment.test.ts")(
      "no prompt changes its arguments, and every prompt arrives as it was sent",
    ),
  ),
  faultCase(
    "H13",
    "Folded, doubled and huge headers; a length beside chunks",
    "400 or 431; nothing is started",
    here("H13: a header that is folded, doubled or can be read in two ways starts nothing"),
    hosts("a header of 64 KiB is refused and the server lives on"),
    hosts("a request that could be read in two ways is refused"),
  ),
  faultCase(
    "H14",
    "Scripts in prompts, names, answers and tools' output",
    "Inert on every page",
    inFile("pages/hostile-everywhere.test.ts")("are inert on every page that is loaded %s"),
    inFile("pages/hostile-answers.test.ts")(
      "are inert, each by itself, while they stream, when they have ended and when they are loaded anew",
    ),
    inFile("pages/hostile-reflected.test.ts")("what an address says is said back as text, or not at all"),
  ),
  faultCase(
    "H15",
    'A `timeoutMs` of -1, 0, 1e12, NaN, "5"',
    "422 `invalid`",
    bodies("are refused: ${what}", "a timeout as text"),
    bodies("are refused: ${what}", "a timeout of 1e12"),
  ),
  faultCase(
    "H16",
    "`limit=1e9`; a cursor that isn't the list's, or whose item is gone",
    "The limit is clamped, the cursor refused with 422 `invalid`; one whose item is gone goes on behind it",
    bodies("a limit of ${limit} is clamped"),
    cursors("a cursor that isn't the list's own is refused: ${cursor.slice(0, 20)}"),
    cursors("are refused to a cursor that isn't theirs, as to such an after"),
    cursors("goes on behind an agent that was deleted meanwhile"),
  ),
];
