/** One thing that the demo agent does in a turn, in order. */
export type Part =
  | { kind: "thinking"; text: string }
  /** `pieceMs` is the pause before each word. */
  | { kind: "text"; text: string; pieceMs: number }
  | { kind: "tool"; command: string }
  /** An edit that is only told: no file is touched. */
  | { kind: "edit"; path: string; before: string; after: string }
  | { kind: "error"; message: string };

export interface Asked {
  prompt: string;
  /** What was asked before in this session, oldest first. */
  earlier: readonly string[];
  systemPrompt: string | null;
}

const pieceMs = 15;
const slowPieceMs = 250;
const quickPieceMs = 2;

/** What the demo agent does for a prompt: the first of its words that it knows decides. */
export function answerTo(asked: Asked): Part[] {
  const words: string[] = asked.prompt.toLowerCase().match(/[a-z]+/g) ?? [];
  if (words.includes("tool")) return toolAnswer(words.includes("slow"));
  const known = words.find((word) => topics.has(word));
  return topics.get(known ?? "help")?.(asked) ?? [];
}

const topics = new Map<string, (asked: Asked) => Part[]>([
  ["help", () => say(introduction)],
  ["markdown", () => say(markdown)],
  ["table", () => say(table)],
  ["code", () => say(code)],
  ["edit", () => editAnswer()],
  ["slow", () => [{ kind: "text", text: slowText, pieceMs: slowPieceMs }]],
  ["think", () => [{ kind: "thinking", text: thought }, ...say("Forty-two, after some thought.")]],
  [
    "error",
    () => [...say("This will go wrong."), { kind: "error", message: "The error that you asked for." }],
  ],
  ["long", () => [{ kind: "text", text: longText, pieceMs: quickPieceMs }]],
  ["remember", (asked) => say(memory(asked))],
]);

function say(text: string): Part[] {
  return [{ kind: "text", text, pieceMs }];
}

function toolAnswer(slow: boolean): Part[] {
  return [
    ...say("I will look at the clock."),
    { kind: "tool", command: slow ? "sleep 20 && date" : "date" },
    ...say("That is what the command printed. A tool call of a real CLI looks the same here."),
  ];
}

function editAnswer(): Part[] {
  return [
    ...say("I will make the greeting friendlier."),
    { kind: "edit", path: "greeting.ts", before: coldGreeting, after: warmGreeting },
    ...say("That is how an edit looks. It was only told: no file of yours was touched."),
  ];
}

function memory({ earlier, systemPrompt }: Asked): string {
  const asked = earlier.map((prompt) => `1. ${prompt.replaceAll("\n", " ")}`);
  const told = systemPrompt === null ? "" : `\n\nYour system prompt has ${systemPrompt.length} characters.`;
  if (asked.length === 0) return `This is the first message of our conversation.${told}`;
  return `In this conversation you asked me:\n\n${asked.join("\n")}${told}`;
}

const introduction = `I am Headway's **demo agent**: no model, no network, no key. I answer as a real CLI would, so that you can see what Headway does.

- Ask for \`markdown\`, a \`table\` or \`code\`, and watch it being rendered while it streams.
- Ask for a \`tool\` call (or a \`slow tool\`, and stop it), an \`edit\`, or let me \`think\`.
- Ask for a \`slow\` answer and reload the page, a \`long\` one, or an \`error\`.
- Ask what I \`remember\`: the conversation goes on when my process is gone.`;

const markdown = `# A heading

Some *emphasis*, some **strong words**, \`code\` and [a link](https://bun.sh).

## A list

1. First things first
2. Then the others
   - with a detail
   - and another one

> What is quoted stands apart.

| streamed | stored | shown |
| --- | --- | --- |
| as it comes | before anybody sees it | safely |`;

const table = `| CLI | protocol | warm turn |
| :-- | :-- | --: |
| Claude Code | stream-json | 41 ms |
| Gemini CLI | ACP | 16 ms |
| Droid | JSON-RPC | 92 ms |

The last column is what the CLI itself adds to the model's time.`;

const code = `Here is a small function:

\`\`\`ts
export function greet(name: string): string {
  return \`Hello, \${name}!\`;
}
\`\`\`

It is called with \`greet("Headway")\`.`;

const coldGreeting = `export function greet(name: string): string {
  return "Hello, " + name;
}`;
const warmGreeting = `/** Says hello, and means it. */
export function greet(name: string): string {
  return \`Hello, \${name}! Good to see you.\`;
}`;

const slowText =
  "This answer takes its time, so that you can reload the page, open it twice, or press Stop. " +
  "Every word was stored before you saw it, and a page that comes late gets all of them.";

const thought = "The question is old. The answer is known. It only has to be said.";

const longText = Array.from(
  { length: 120 },
  (_, index) => `Paragraph ${index + 1}: the quick brown fox jumps over the lazy dog, and does so again.`,
).join("\n\n");
