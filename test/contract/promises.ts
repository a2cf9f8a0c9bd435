/**
 * What every dialect promises, in the order in which docs/dialects.md tells it. The suite has one test or
 * more for each; where a dialect can't keep one, its case says why, in words.
 */
export const promises = {
  turn: "A turn's answer is said once and in order, and the turn succeeds",
  session: "A turn names the CLI's session",
  version: "A turn tells the CLI's version",
  thinking: "Thoughts are told, and apart from the answer",
  tool: "A tool call begins once, finishes once, and the answer is what comes after it",
  brokenStream: "The text of a stream that broke off isn't said twice when the CLI asks the model again",
  failedTool: "A tool call that failed is told as failed",
  usage: "Tokens are told once a turn, and they are that turn's",
  auth_required: "A missing or refused sign-in is `auth_required`",
  rate_limited: "The provider's limit is `rate_limited`",
  overloaded: "A provider in trouble is `overloaded`",
  cli_error: "Any other error of the CLI's is `cli_error`, in its own words",
  session_lost: "A session that the CLI doesn't have (any more) is `session_lost`",
  interrupt: "A turn is interrupted by protocol, and is then aborted, not failed",
  permission: "A question for permission is answered by the agent's permission mode",
  second: "The second turn of a process has its own answer, blocks and usage",
  resume: "A session is resumed by its id",
  history: "What the CLI replays of a resumed session is no answer",
  handshake: "A refused handshake is `unready`: nothing was asked of the model",
  stale: "Output after the end of a turn is an anomaly and changes nothing",
  secondResult: "A second result is an anomaly, and such a process gets no more turns",
  leftovers: "What an earlier turn left in the pipe doesn't become the next one's answer",
  unknown: "A line of an unknown type is an anomaly, and told once",
  split: "The edges of chunks don't matter, down to single bytes",
  hostile: "No line makes it throw, however odd, damaged or deep",
  plain: "No control character of the CLI's is kept",
  prompt: "Any prompt arrives whole",
  systemPrompt: "The agent's system prompt is told, and never in argv",
  argv: "The command holds nothing that users write",
  exits: "Whatever way a process ends, there is a code and a message for it",
  processTurn: "A process carries a turn",
  processSecond: "A process carries a second turn, which knows of the first",
  processResume: "A new process carries on where an ended one stopped",
  processCancel: "A turn is ended on demand, and its process doesn't hang",
  processLost: "A process that is asked for an unknown session says so",
} as const;

export type Promised = keyof typeof promises;

/** Those that no dialect is excused from. */
export const unconditional = [
  "turn",
  "session",
  "stale",
  "split",
  "hostile",
  "plain",
  "prompt",
  "argv",
  "exits",
  "processTurn",
] as const satisfies readonly Promised[];

/** What a dialect may be unable to do, if it says why. */
export type Excusable = Exclude<Promised, (typeof unconditional)[number]>;
