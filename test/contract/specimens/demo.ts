import { randomUUID } from "node:crypto";
import { demoAdapter } from "../../../src/runner/adapters/demo.ts";
import { makeTempFolder } from "../../helpers/temp.ts";
import { startTalk, type Talk } from "../../runner/adapters/talk.ts";
import { isEnd, isText } from "../decoded.ts";
import { dialectCase, type FakeCli, processEndsWithTurn } from "../dialect-case.ts";
import { claudeWarm } from "./claude.ts";

/** The demo agent is at hand wherever Headway is, so its lines are what it says now. */
async function spoken() {
  using home = makeTempFolder();
  const sessionId = randomUUID();
  const start = (spec: { sessionId: string; resume: boolean }) =>
    startTalk({
      dialect: demoAdapter.dialects.warm,
      spec: { executable: process.execPath, ...spec },
      home: home.path,
    });
  await using demo = start({ sessionId, resume: false });
  const turn = { lines: await linesOf(demo, "think"), answer: thoughtfulAnswer };
  const second = { lines: await linesOf(demo, "what do you remember?"), answer: memory };
  const tool = { lines: await linesOf(demo, "a tool, please"), answer: toolAnswer };
  const cli_error = { lines: await linesOf(demo, "an error") };
  const interrupt = await interrupted(demo);
  await using later = start({ sessionId, resume: true });
  const resume = { lines: await linesOf(later, "remember?"), answer: laterMemory };
  await using lost = start({ sessionId: randomUUID(), resume: true });
  await lost.until(isEnd, "the refusal");
  const { promptIn } = await claudeWarm.specimens();
  return {
    sessionId,
    turn,
    thinking: { ...turn, thoughts: thoughtsIn(turn.lines) },
    tool,
    cli_error,
    session_lost: { lines: lost.lines, stderr: await lost.stderr() },
    resume,
    unknown: { line: JSON.stringify({ type: "news", session_id: sessionId }) },
    promptIn,
    process: demoProcess,
    two: { second, interrupt },
  };
}

const thoughtfulAnswer = "Forty-two, after some thought.";
const memory = "In this conversation you asked me:\n\n1. think";
const laterMemory = `${memory}\n1. what do you remember?\n1. a tool, please\n1. an error\n1. slow`;
const toolAnswer = "That is what the command printed. A tool call of a real CLI looks the same here.";

async function linesOf(talk: Talk, prompt: string): Promise<string[]> {
  const from = talk.lines.length;
  await talk.say(prompt);
  return talk.lines.slice(from);
}

async function interrupted(talk: Talk): Promise<{ before: string[]; after: string[] }> {
  const from = talk.lines.length;
  talk.send("slow");
  await talk.until(isText, "the first word");
  const middle = talk.lines.length;
  talk.interrupt("stop");
  await talk.until(isEnd, "the end of the interrupted turn");
  return { before: talk.lines.slice(from, middle), after: talk.lines.slice(middle) };
}

function thoughtsIn(lines: readonly string[]): string {
  const whole = lines.map((line) => /"type":"thinking","thinking":("(?:[^"\\]|\\.)*")/.exec(line)?.[1]);
  return JSON.parse(whole.find(Boolean) ?? '""') as string;
}

const demoProcess: FakeCli = {
  executable: process.execPath,
  hello: { prompt: "think", answer: thoughtfulAnswer },
  recall: { prompt: "remember?", answer: "1. think" },
  hold: { prompt: "slow" },
};

const always = {
  failedTool: "The demo agent's tool is `date`, which doesn't fail.",
  auth_required: "The demo agent needs no sign-in.",
  brokenStream: "The demo agent asks no provider, so no stream breaks off.",
  rate_limited: "The demo agent asks no provider.",
  overloaded: "The demo agent asks no provider.",
  permission: "The demo agent asks for nothing: its one tool tells the time.",
  history: "The demo agent replays nothing of a session that it resumes.",
  handshake: "There is none: the prompt is written at once, and no reply is waited for.",
} as const;

const cliVersion = "1.0.0";
const used = { inputTokens: 1, outputTokens: 18 };

export const demoWarm = dialectCase({
  adapter: demoAdapter,
  form: "warm",
  cliVersion,
  cannot: always,
  async specimens() {
    const { two, ...said } = await spoken();
    return { ...said, ...two, usage: { turn: used, second: { inputTokens: 4 } } };
  },
});

export const demoOneTurn = dialectCase({
  adapter: demoAdapter,
  form: "oneTurn",
  cliVersion,
  cannot: {
    ...always,
    ...processEndsWithTurn,
    interrupt:
      "Its input is closed with the prompt: SIGINT ends the turn, and the demo agent gives a result to that.",
  },
  async specimens() {
    const { two: _, ...said } = await spoken();
    return { ...said, usage: { turn: used } };
  },
});
