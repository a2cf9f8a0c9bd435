/**
 * Markdown of the kind that coding agents write, made from a number: the same number gives the same text,
 * another one another text, so that nothing that was rendered before serves again.
 */
type Pick = <T>(from: readonly T[]) => T;

const words =
  "the queue keeps each turn in order while another run holds its agent and nothing is lost when a process ends before its answer is on disk so recovery reads every event from the log again".split(
    " ",
  );
const names = "parse collect settle admit claim render encode follow measure repair".split(" ");
const nouns = "Turn Run Event Queue Cursor Agent Lock Session Process Frame".split(" ");
const files = [
  "src/queue.ts",
  "src/store/turns.ts",
  "test/recovery.test.ts",
  "docs/design.md",
  "ops/check.sh",
];

/** At least so many characters, in whole blocks of every kind. */
export function sampleMarkdown(number: number, charsMin: number): string {
  const pick = picker(number);
  const blocks: string[] = [sampleParagraph(pick)];
  let chars = 0;
  for (let index = 0; chars < charsMin; index++) {
    const block = (makers[index % makers.length] ?? sampleParagraph)(pick);
    blocks.push(block);
    chars += block.length + 2;
  }
  return blocks.join("\n\n");
}

/** What `sampleLongAnswer` ends with. */
export const lastWords = "These are the last words of it.";

/** About so many characters of everything that Markdown has, and of some of it much: a long table, code, a list. */
export function sampleLongAnswer(chars: number): string {
  const items = Array.from({ length: chars >> 12 }, (_, index) => `- ${sampleProse(index, 1)}`);
  const long = [
    sampleTable(2, chars >> 11),
    fenced("ts", sampleCode(3, "ts", chars >> 12)),
    items.join("\n"),
  ].join("\n\n");
  return `${sampleMarkdown(1, chars - long.length)}\n\n${long}\n\n${lastWords}\n`;
}

/** Plain sentences. */
export function sampleProse(number: number, sentences: number): string {
  const pick = picker(number);
  return Array.from({ length: sentences }, () => sampleSentence(pick)).join(" ");
}

/** Lines of code of one language, without a fence. */
export function sampleCode(number: number, language: keyof typeof code, functions: number): string {
  const pick = picker(number);
  return Array.from({ length: functions }, () => code[language](pick)).join("\n\n");
}

/** A table of four columns. */
export function sampleTable(number: number, rows: number): string {
  const pick = picker(number);
  const row = (index: number) =>
    `| \`${pick(names)}${pick(nouns)}\` | ${pick(files)} | ${index * 7} ms | ${sampleSentence(pick)} |`;
  const head = ["| function | file | took | why |", "| --- | :-- | ---: | --- |"];
  return [...head, ...Array.from({ length: rows }, (_, index) => row(index))].join("\n");
}

const makers: readonly ((pick: Pick) => string)[] = [
  (pick) => `## ${sampleSentence(pick).slice(0, 48).trim()}`,
  sampleParagraph,
  (pick) => fenced("ts", Array.from({ length: pick([1, 2, 4]) }, () => code.ts(pick)).join("\n\n")),
  sampleList,
  sampleParagraph,
  (pick) => sampleTable(pick(numbers), pick([4, 9, 14])),
  (pick) => fenced("python", code.python(pick)),
  (pick) => `> ${sampleSentence(pick)}\n> ${sampleSentence(pick)}`,
  (pick) => fenced("sh", code.sh(pick)),
  sampleParagraph,
  (pick) => fenced("sql", code.sql(pick)),
];

const code = {
  ts: (pick: Pick) => {
    const [name, noun] = [pick(names), pick(nouns)];
    return [
      `/** ${sampleSentence(pick)} */`,
      `export function ${name}${noun}(items: readonly ${noun}[], limit = ${pick(numbers)}): number {`,
      `  const found = items.filter((item) => item.state !== "${pick(words)}" && item.seq < limit);`,
      `  if (found.length === 0) throw new Error(\`No ${noun} is left of \${items.length}.\`);`,
      `  // ${sampleSentence(pick)}`,
      `  return found.reduce((sum, { durationMs }) => sum + (durationMs ?? ${pick(numbers)}), 0);`,
      "}",
    ].join("\n");
  },
  python: (pick: Pick) =>
    [
      `def ${pick(names)}_${pick(words)}(path: str, limit: int = ${pick(numbers)}) -> list[str]:`,
      `    """${sampleSentence(pick)}"""`,
      `    with open(path, encoding="utf-8") as lines:`,
      `        return [line.strip() for line in lines if "${pick(words)}" in line][:limit]`,
    ].join("\n"),
  sh: (pick: Pick) =>
    `git log --oneline -n ${pick(numbers)} -- ${pick(files)} | grep -v '${pick(words)}' # ${pick(words)}\nnpm test ${pick(files)}`,
  sql: (pick: Pick) =>
    `select id, state, count(*) as runs from ${pick(words)}_runs\nwhere ended_at > ${pick(numbers)} and state <> '${pick(words)}' group by 1, 2;`,
};

const numbers = Array.from({ length: 97 }, (_, index) => 3 + index * 13);

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

function sampleParagraph(pick: Pick): string {
  const sentences = Array.from({ length: pick([2, 3, 5]) }, () => sampleSentence(pick));
  const marked = `See \`${pick(names)}${pick(nouns)}\` in **${pick(files)}** and [the notes](https://example.org/${pick(words)}).`;
  return [...sentences, marked].join(" ");
}

function sampleList(pick: Pick): string {
  const items = Array.from({ length: pick([3, 5, 8]) }, () => `- ${sampleSentence(pick)}`);
  return [...items, `  1. ${sampleSentence(pick)}`, `  2. *${sampleSentence(pick)}*`].join("\n");
}

function sampleSentence(pick: Pick): string {
  const length = pick([6, 9, 13, 17]);
  const text = Array.from({ length }, () => pick(words)).join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** A small generator (mulberry32): the same seed picks the same things. */
function picker(seed: number): Pick {
  let state = seed >>> 0;
  return (from) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const part = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    return from[Math.floor(part * from.length)]!;
  };
}
