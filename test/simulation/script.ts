import type { LimitCode } from "../../src/runner/process/cli-process.ts";
import type { Random } from "./random.ts";
import {
  failedLine,
  initLine,
  messageStart,
  resetLine,
  resultLine,
  textDelta,
  thinkingDelta,
  toolResult,
  toolUse,
  wholeText,
} from "./voice.ts";

/** One thing that a simulated CLI does when its moment has come. */
export type Step =
  | { do: "say"; lines: string[] }
  | { do: "complain"; text: string }
  /** Names the session: from now on it can be resumed. */
  | { do: "init"; lines: string[]; sessionId: string }
  | { do: "end"; lines: string[] }
  | { do: "help" }
  | { do: "hang" }
  | { do: "limit"; code: LimitCode }
  | { do: "exit"; exitCode: number | null; signal: string | null };

/** What a CLI will do with a turn. */
export interface Script {
  steps: Step[];
  /** What the answer is, should the turn succeed. */
  answer: string;
}

export interface ScriptSpec {
  token: string;
  sessionId: string;
  wallMs: number;
  /** Some session that another conversation may hold. */
  otherSessionId: string | null;
}

/** How likely each kind of turn is. */
const manners = {
  plain: 52,
  tools: 12,
  hang: 4,
  crash: 6,
  silentCrash: 2,
  rateLimited: 2,
  signedOut: 1,
  overloaded: 3,
  lateOutput: 4,
  twoResults: 2,
  turnOfItsOwn: 1,
  helper: 3,
  limit: 2,
  otherSession: 1,
  reset: 1,
  badEnd: 2,
  goodEnd: 2,
  garbage: 3,
};
export type Manner = keyof typeof manners;

export function scriptTurn(random: Random, spec: ScriptSpec, behaves: boolean): Script & { manner: Manner } {
  const manner = behaves ? "plain" : random.weighted(manners);
  const { steps, answer } = plainTurn(random, spec, manner);
  return { manner, answer, steps: spoil(random, spec, manner, steps) };
}

/** Of any length: text, perhaps after thoughts and tools, then the result. */
function plainTurn(random: Random, spec: ScriptSpec, manner: Manner): Script {
  const { token, sessionId } = spec;
  const steps: Step[] = [{ do: "init", lines: [initLine(sessionId)], sessionId }];
  const calls = manner === "tools" || manner === "helper" ? random.between(1, 3) : 0;
  for (let call = 0; call < calls; call++) {
    const id = `${token}-m${call}`;
    const toolId = `${token}-c${call}`;
    steps.push(...message(random, id, `${token} looks. `, random.between(0, 2)));
    steps.push({ do: "say", lines: [toolUse(id, toolId)] });
    if (manner === "helper" && call === 0) steps.push({ do: "help" });
    steps.push({ do: "say", lines: [toolResult(toolId, random.chance(0.2))] });
  }
  const pieces = random.between(0, 8);
  const answer = `${token} says so. `.repeat(pieces);
  if (random.chance(0.2)) steps.push({ do: "say", lines: [thinkingDelta("hm")] });
  steps.push(...message(random, `${token}-last`, `${token} says so. `, pieces));
  return { steps: [...steps, { do: "end", lines: [resultLine(answer)] }], answer };
}

/** One message in pieces, several of them in a chunk now and then. */
function message(random: Random, id: string, piece: string, pieces: number): Step[] {
  if (pieces === 0) return [];
  const lines = [messageStart(id), ...Array.from({ length: pieces }, () => textDelta(piece))];
  lines.push(wholeText(id, piece.repeat(pieces)));
  const steps: Step[] = [];
  while (lines.length > 0) steps.push({ do: "say", lines: lines.splice(0, random.between(1, 4)) });
  return steps;
}

function spoil(random: Random, spec: ScriptSpec, manner: Manner, steps: Step[]): Step[] {
  const cut = () => steps.slice(0, random.between(0, steps.length - 1));
  const [init] = steps;
  const otherId = spec.otherSessionId ?? "6f0c2c1e-0000-4000-8000-000000000000";
  switch (manner) {
    case "plain":
    case "tools":
    case "helper":
      return steps;
    case "hang":
      return [...cut(), { do: "hang" }];
    case "crash":
      return [...cut(), ...(random.chance(0.5) ? [complaint] : []), random.pick(crashes)];
    case "silentCrash":
      return [random.pick(crashes)];
    case "rateLimited":
      return [init!, failure(rateLimit(random, spec.wallMs), 429)];
    case "signedOut":
      return [init!, failure("Invalid API key · Please run /login", 401)];
    case "overloaded":
      return [init!, failure("API Error: 529 overloaded_error", 529)];
    case "lateOutput":
      return [...steps, { do: "say", lines: [textDelta("too late"), "late, too"] }];
    case "twoResults":
      return [...steps, { do: "say", lines: [resultLine("another answer")] }];
    case "turnOfItsOwn":
      return [...steps, { do: "say", lines: [initLine(spec.sessionId), textDelta("by myself")] }];
    case "limit":
      return [
        ...cut(),
        { do: "limit", code: random.pick(["memory_limit", "process_limit", "output_limit"]) },
      ];
    case "otherSession":
      return [{ do: "say", lines: [initLine(otherId)] }, ...steps.slice(1)];
    case "reset":
      return [
        { do: "say", lines: [resetLine()] },
        { do: "say", lines: [initLine(otherId)] },
        ...steps.slice(1),
      ];
    case "badEnd":
      return [...steps, { do: "exit", exitCode: 1, signal: null }];
    case "goodEnd":
      return [...steps, { do: "exit", exitCode: 0, signal: null }];
    case "garbage":
      return steps.flatMap((step) => (random.chance(0.3) ? [random.pick(oddities), step] : [step]));
  }
}

const complaint: Step = { do: "complain", text: "something is wrong\n" };
const crashes: Step[] = [
  { do: "exit", exitCode: 1, signal: null },
  { do: "exit", exitCode: 0, signal: null },
  { do: "exit", exitCode: null, signal: "SIGSEGV" },
];
const oddities: Step[] = [
  { do: "say", lines: ["not JSON", ""] },
  { do: "say", lines: ['{"type":"a_new_thing"}'] },
  { do: "complain", text: "a warning\n" },
];

const failure = (said: string, httpStatus: number): Step => ({
  do: "end",
  lines: [failedLine(said, httpStatus)],
});

/** With a time at which the limit ends, or without. */
function rateLimit(random: Random, wallMs: number): string {
  if (random.chance(0.3)) return "API Error: 429 rate_limit_error";
  return `Claude AI usage limit reached|${Math.floor(wallMs / 1000) + random.between(10, 600)}`;
}
