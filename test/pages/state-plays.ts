/**
 * What is said in the conversations of `states.ts`: prompts, and the steps that fake-claude plays for them
 * (test/fixtures/bin/fake-claude-parts/play.js). All agents work on one program, a clock of the tides.
 */
export type Play = readonly [prompt: string, steps: readonly object[]];

const lines = (...some: string[]) => some.join("\n");

const tidesBefore = `export function tidesFor(harbour: Harbour, day: Date): Tide[] {
  const table = tables.get(harbour.id);
  return table.days[dayOfYear(day)];
}`;

const tidesAfter = `export function tidesFor(harbour: Harbour, day: Date): Tide[] {
  const table = tables.get(harbour.id);
  if (table === undefined) return [];
  return table.days[dayOfYear(day) - 1] ?? [];
}`;

/** Calls that went well, one that failed, one that was refused. */
export const tools: Play = [
  "The /tides endpoint answers 500 for Saint-Malo. Find out why, and fix it.",
  [
    { say: "I look for the place where the table is read, and let the tests tell what they know." },
    {
      tool: "Grep",
      input: { pattern: "tidesFor", path: "src" },
      takesMs: 60,
      output: lines(
        "src/routes/tides.ts:14:  const tides = tidesFor(harbour, day);",
        "src/tides.ts:21:export function tidesFor(harbour: Harbour, day: Date): Tide[] {",
      ),
    },
    {
      tool: "Bash",
      input: { command: "bun test test/tides.test.ts", description: "Run the tests of the tides" },
      isError: true,
      takesMs: 350,
      output: lines(
        "TypeError: undefined is not an object (evaluating 'table.days')",
        "      at tidesFor (src/tides.ts:23:10)",
        "      at <anonymous> (test/tides.test.ts:31:18)",
        "",
        "✗ a harbour without a table has no tides [0.41ms]",
        " 11 pass",
        " 1 fail",
      ),
    },
    {
      tool: "Edit",
      input: { file_path: "src/tides.ts", old_string: tidesBefore, new_string: tidesAfter },
      output: "The file src/tides.ts has been updated.",
    },
    {
      tool: "Bash",
      input: { command: "bun test", description: "Run all tests" },
      takesMs: 600,
      output: lines(" 148 pass", " 0 fail", " 402 expect() calls", "Ran 148 tests across 23 files. [1.36s]"),
    },
    {
      tool: "Bash",
      input: { command: "git push origin fix-tides", description: "Publish the branch" },
      denied: true,
      output: "Permission to use Bash has been denied.",
    },
    {
      say: lines(
        "Saint-Malo has no table for this year, and `tidesFor` took for granted that every harbour has one.",
        "",
        "1. A harbour without a table now has no tides, as the test expects.",
        "2. Days were counted from 1 and looked up from 0, so that **every answer was a day late**.",
        "",
        "All 148 tests pass. I was not allowed to push the branch; it is `fix-tides`.",
      ),
    },
  ],
];

const clockAfter = `/** The hand's angle in degrees, 0 at high water. */
export function angleAt(now: number, tides: readonly Tide[]): number {
  const next = tides.findIndex(({ at }) => at > now);
  if (next < 1) return 0;
  const from = tides[next - 1]!;
  const to = tides[next]!;
  const share = (now - from.at) / (to.at - from.at);
  return (from.kind === "high" ? 0 : 180) + share * 180;
}
`;

/** An edit with context, several in one file, and a new file. */
export const edits: Play = [
  "Draw the tide as a clock with one hand, and show the next high water below it.",
  [
    { say: "First the angle of the hand, as a function of its own that can be tested." },
    {
      tool: "Write",
      input: { file_path: "src/clock/angle.ts", content: clockAfter },
      output: "File created successfully at: src/clock/angle.ts",
    },
    {
      tool: "MultiEdit",
      input: {
        file_path: "src/clock/view.tsx",
        edits: [
          {
            old_string: `<svg viewBox="0 0 100 100">\n  <circle cx="50" cy="50" r="46" />\n</svg>`,
            new_string: `<svg viewBox="0 0 100 100" role="img" aria-label={label}>\n  <circle cx="50" cy="50" r="46" />\n  <line x1="50" y1="50" x2="50" y2="12" transform={\`rotate(\${angle} 50 50)\`} />\n</svg>`,
          },
          {
            old_string: `const label = "Tide";`,
            new_string: "const label = `High water at ${timeShown(next.at)}`;",
          },
        ],
      },
      output: "Applied 2 edits to src/clock/view.tsx",
    },
    {
      say: "The hand stands at the top at high water and at the bottom at low water. Below it stands when the next high water is.",
    },
  ],
];

/** Rendered Markdown: highlighted code, a table, a list, a quotation. */
export const markdown: Play = [
  "How is the height between two tides computed? Show me the code.",
  [
    {
      say: lines(
        "## The rule of twelfths",
        "",
        "Between low and high water the sea doesn't rise evenly. A sailor's rule of thumb divides the time into six parts:",
        "",
        "| part | rises by | so far |",
        "| :--- | ---: | ---: |",
        "| first | 1⁄12 | 8 % |",
        "| second | 2⁄12 | 25 % |",
        "| third | 3⁄12 | 50 % |",
        "| fourth | 3⁄12 | 75 % |",
        "| fifth | 2⁄12 | 92 % |",
        "| sixth | 1⁄12 | 100 % |",
        "",
        "We use the curve that the rule approximates, a cosine:",
        "",
        "```ts",
        "/** Metres above chart datum at `now`, between two tides. */",
        "export function heightAt(now: number, from: Tide, to: Tide): number {",
        "  const share = (now - from.at) / (to.at - from.at); // 0 … 1",
        "  const swing = (1 - Math.cos(share * Math.PI)) / 2;",
        "  return from.height + swing * (to.height - from.height);",
        "}",
        "```",
        "",
        "> It is good to a hand's breadth in open water. In estuaries it is *not*: there the tide rises faster than it falls.",
      ),
    },
  ],
];

export const thinking: Play = [
  "Should the tables be kept in SQLite or as files?",
  [
    {
      think: lines(
        "There are 612 harbours with about 1,410 tides each per year, some 860,000 rows. They are written once a year and read all day.",
        "As files: one JSON per harbour and year, 40 KB each, mapped once. As SQLite: 45 MB with an index.",
        "What decides is how they are read: always one harbour, one day. Both do that at once. The files need no migration, but a half-written file is worse than a transaction.",
      ),
    },
    {
      say: "In SQLite. Reading is as fast either way, but the yearly update is **one transaction** there: nobody ever sees half of a new table.",
    },
  ],
];

const migration = lines(
  "The tables move in three steps, so that at no time a reader finds neither.",
  "",
  "### 1. Write both",
  "",
  "The importer writes the new table beside the old files. Nothing reads it yet, so nothing can break:",
  "",
  "```sql",
  "create table tides (",
  "  harbour text not null,",
  "  at integer not null,        -- seconds since 1970, UTC",
  "  height real not null,       -- metres above chart datum",
  "  primary key (harbour, at)",
  ") strict, without rowid;",
  "```",
  "",
  "### 2. Compare",
  "",
  "For a week each request reads both and logs when they differ. So far the importer has",
);

/** An answer that stands still in the middle of its words. */
export const streaming: Play = [
  "Plan how we move the tide tables from files to SQLite without a moment of downtime.",
  [
    { say: "I look at who reads the files today." },
    {
      tool: "Grep",
      input: { pattern: "readTable", path: "src" },
      takesMs: 60,
      output: lines(
        "src/tides.ts:8:import { readTable } from './tables.ts';",
        "src/tides.ts:22:  const table = readTable(harbour.id);",
      ),
    },
    { say: migration, hold: true },
  ],
];

export const toolRunning: Play = [
  "Build the harbour charts for all of Brittany.",
  [
    { say: "I fetch the outlines first; the charts are drawn from them." },
    {
      tool: "Bash",
      input: { command: "ls data/outlines | wc -l", description: "Count the outlines" },
      output: "86",
    },
    { tool: "Bash", input: { command: "make charts REGION=brittany", description: "Draw the charts" } },
  ],
];

export const stopped: Play = [
  "Rewrite all modules in the style of src/clock.",
  [
    {
      say: "I begin with `src/tides.ts`, then go through the others one by one. The first thing that strikes me is",
      hold: true,
    },
  ],
];

const rateLimited = {
  type: "rate_limit_event",
  rate_limit_info: { status: "rejected", rateLimitType: "five_hour", resetsAt: 1_773_054_000 },
};
const retry = (attempt: number) => ({
  type: "system",
  subtype: "api_retry",
  attempt,
  max_retries: 10,
  retry_delay_ms: 2_000 * attempt,
  error_status: 529,
  error: "overloaded",
});

export const notices: Play = [
  "Translate the names of the tides into Breton.",
  [
    { line: retry(1) },
    { line: retry(2) },
    { line: rateLimited },
    { say: "High water is *gourlen*, low water is *izelvor*. I have put both into `src/words/br.ts`." },
  ],
];

export const failing: Play = [
  "Deploy the new clock to staging.",
  [
    { say: "The build is done, and I have copied it to the staging machine. Now I" },
    { line: retry(1) },
    {
      line: {
        type: "assistant",
        error: "server_error",
        is_api_error_message: true,
        api_error_status: 529,
        parent_tool_use_id: null,
        message: {
          id: "error",
          content: [{ type: "text", text: "API Error: Repeated 529 Overloaded errors." }],
        },
      },
    },
    {
      result: {
        is_error: true,
        terminal_reason: "api_error",
        api_error_status: 529,
        result: "API Error: Repeated 529 Overloaded errors.",
      },
    },
  ],
];

const logLine = (n: number) =>
  `2026-03-09T07:${`${n % 60}`.padStart(2, "0")}:12Z worker-${(n % 4) + 1} harbour=${4100 + n} read 1410 tides in ${20 + ((n * 7) % 31)} ms`;

/** A message that is longer than what is shown of one. */
export const longMessage: Play = [
  "This is the importer's log of last night. Which harbours took longer than 45 ms, and why?",
  [
    {
      say: "Eleven of them, and all have an estuary: their tables hold a *second curve* that is computed while it is read.",
    },
  ],
];
export const longMessageRest = `\n\n${Array.from({ length: 90 }, (_, n) => logLine(n)).join("\n")}`;

/** Two lines of the dialect, and as many events. */
const reading = (page: number) => [
  {
    line: {
      type: "assistant",
      parent_tool_use_id: null,
      message: {
        id: `page-${page}`,
        content: [
          { type: "tool_use", id: `read-${page}`, name: "Read", input: { file_path: `almanac/${page}.txt` } },
        ],
      },
    },
  },
  {
    line: {
      type: "user",
      parent_tool_use_id: null,
      message: { content: [{ type: "tool_result", tool_use_id: `read-${page}`, content: `Page ${page}` }] },
    },
  },
];

/** Ten thousand events. */
export const manyEvents: Play = [
  "Read the whole almanac.",
  [
    ...Array.from({ length: 4_997 }, (_, index) => reading(index + 1)).flat(),
    { say: "I have read its 4,997 pages. The highest tide of the year is on the 21st of March." },
  ],
];

export const shortTalk: readonly Play[] = [
  ["Which harbours have no table for this year?", [{ say: "Three: Saint-Malo, Cancale and Dahouët." }]],
  ["Why?", [{ say: "Their tables come from another office, which publishes in *April*." }]],
  ["What do we show until then?", [{ say: "Last year's curve, marked as **estimated**." }]],
];

/** What the held agents wait for. */
export const waitingMessages = [
  "Then check that the index is used for reading one day.",
  "And write down in docs/tables.md what a row means.",
  "When all is done, remove the old importer.",
];

/** An exchange of a long conversation. */
export function longTalk(count: number): Play[] {
  return Array.from({ length: count }, (_, index): Play => {
    const harbour = 4100 + index;
    return [
      `Check harbour ${harbour}.`,
      [
        {
          say: `Harbour ${harbour}: 1,410 tides, none missing, highest ${(11 + (index % 9) / 10).toFixed(1)} m.`,
        },
      ],
    ];
  });
}
