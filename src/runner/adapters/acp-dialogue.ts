import type { RunEventBody } from "../../domain/event.ts";
import type { Usage } from "../../domain/run.ts";
import type { AcpAgent } from "./acp-dialect.ts";
import { failureOf } from "./acp-failure.ts";
import { notificationInput, notOfferedInput, permissionInput } from "./acp-input.ts";
import {
  type AcpMessage,
  parseMessage,
  permissionSchema,
  promptResultSchema,
  type Reply,
  updateSchema,
} from "./acp-lines.ts";
import { noteHistory, openTalk, readInitialized, readSession, readStep } from "./acp-opening.ts";
import { commandNotice, usageOf, verdictOf } from "./acp-result.ts";
import { newTalk, type Request, sendPrompt, strayOf, type Talk, unknown } from "./acp-talk.ts";
import { finishTurn, isOfTurns, isQuietUpdate, readPermission, readUpdate, type Turn } from "./acp-turn.ts";
import type { Decoded, Dialogue, DialogueSpec, Verdict } from "./adapter.ts";
import { anomaly, events, used } from "./decoded.ts";
import { plainText } from "./plain-text.ts";
import { hasTokens } from "./token-counts.ts";

/** Speaks ACP with one process, in one session. */
export function openAcpDialogue(agent: AcpAgent, spec: DialogueSpec): Dialogue {
  const talk = newTalk(agent, spec);
  return {
    get prompted() {
      return talk.phase.kind === "prompted" || talk.phase.kind === "idle";
    },
    begin: (prompt) => begin(talk, prompt),
    decode: (line) => decode(talk, line),
    decodeError: (line) => (talk.phase.kind === "prompted" ? events(agent.readErrorLine?.(line) ?? []) : []),
    interrupt: () => interrupt(talk),
  };
}

function begin(talk: Talk, prompt: string): Decoded[] {
  switch (talk.phase.kind) {
    case "unopened":
      return openTalk(talk, prompt);
    case "opening":
      talk.phase = { ...talk.phase, prompt };
      return [];
    case "broken":
      return [{ kind: "turn.ended", verdict: talk.phase.verdict }];
    default:
      return sendPrompt(talk, prompt);
  }
}

/** Ends the turn within milliseconds, and its tools with it; the process lives on (recording acp_session). */
function interrupt({ phase, session }: Talk): string | null {
  if (phase.kind !== "prompted") return null;
  phase.turn.isCancelled = true;
  return notificationInput("session/cancel", { sessionId: session.spokenId });
}

function decode(talk: Talk, line: string): Decoded[] {
  const message = parseMessage(line);
  if (message === "none") return [anomaly("parse_error", line)];
  if (message === "odd") return unknown(talk, "a message that is neither request nor reply");
  switch (message.kind) {
    case "notification":
      return readNotification(talk, message);
    case "request":
      return readRequest(talk, message);
    default:
      return readReply(talk, message);
  }
}

function readNotification(talk: Talk, { method, params }: AcpMessage & { kind: "notification" }): Decoded[] {
  const parsed = updateSchema.safeParse(params).data;
  if (method !== "session/update" || !parsed) return unknown(talk, method);
  const { sessionId, update } = parsed;
  const { phase } = talk;
  if (phase.kind === "opening" && talk.spec.resume) return readHistory(talk, update.sessionUpdate);
  if (isQuietUpdate(update.sessionUpdate)) return [];
  if (phase.kind !== "prompted") return [strayOf(update.sessionUpdate)];
  if (sessionId !== talk.session.spokenId) return readForeign(phase.turn, sessionId, update.sessionUpdate);
  const told = readUpdate(phase.turn, update.sessionUpdate, update);
  return told
    ? [...keepHelpers(talk, told), ...events(told)]
    : unknown(talk, `${method} ${update.sessionUpdate}`);
}

/**
 * An agent that speaks in another session's name than we do has lost its way: whose words these are nobody can
 * tell, so they are left out, and it gets no further turn.
 */
function readForeign(turn: Turn, sessionId: string, type: string): Decoded[] {
  turn.hasLostText ||= type === "agent_message_chunk";
  if (turn.isMismatchTold) return [strayOf(`${type} of another session`)];
  turn.isMismatchTold = true;
  return [
    { kind: "session.mismatch", cliSessionId: plainText(sessionId.slice(0, shownIdChars)) },
    { kind: "retire", reason: "the agent named another session" },
  ];
}

/** Longest piece of a foreign session's id that is shown. */
const shownIdChars = 64;

function readHistory(talk: Talk, type: string): Decoded[] {
  if (isOfTurns(type)) noteHistory(talk);
  return [];
}

/**
 * How far an agent's words may lag behind what it does. OpenCode 1.18.33 tells the model's first word when the tool
 * that follows has been running for up to 130 ms (seen on a busy machine); a model takes longer for its first one.
 */
const wordLagMsMax = 500;

/**
 * MCP servers and the like, which agents start with the session, or in the first turn before they ask the
 * model: what is there at its first word is the agent's own, unless that word is that a tool runs.
 */
function keepHelpers(talk: Talk, told: RunEventBody[]): Decoded[] {
  const runsTool = told.some(({ type }) => type === "tool.started");
  if (runsTool) talk.hasYoungHelpers = false;
  if (talk.areHelpersKnown || told.length === 0) return [];
  talk.areHelpersKnown = true;
  talk.hasYoungHelpers = !runsTool;
  return runsTool ? [] : [{ kind: "helpers.kept", ageMsMin: wordLagMsMax }];
}

/** A turn that was cancelled may have been about to run a tool. */
function keepYoungHelpers(talk: Talk, { kind }: Verdict): Decoded[] {
  const areItsOwn = talk.hasYoungHelpers && kind !== "aborted";
  talk.hasYoungHelpers = false;
  return areItsOwn ? [{ kind: "helpers.kept" }] : [];
}

/** Files and terminals are asked for by agents that didn't hear that we have none. */
function readRequest(talk: Talk, { id, method, params }: AcpMessage & { kind: "request" }): Decoded[] {
  const { phase } = talk;
  const asked = method === "session/request_permission" ? permissionSchema.safeParse(params).data : undefined;
  if (!asked) return [{ kind: "write", input: notOfferedInput(id, method) }, ...unknown(talk, method)];
  if (phase.kind === "prompted") return readPermission(phase.turn, id, asked);
  return [{ kind: "write", input: permissionInput(id, null) }, strayOf(method)];
}

function readReply(talk: Talk, reply: Reply): Decoded[] {
  const request = takeRequest(talk, reply);
  switch (request) {
    case "initialize":
      return readInitialized(talk, reply);
    case "session":
      return readSession(talk, reply);
    case "prompt":
      return readEnd(talk, reply);
    case null:
      return readStrayReply(talk, reply);
    default:
      return readStep(talk, request, reply);
  }
}

/** The request that a reply belongs to, which has its reply now. */
function takeRequest({ awaited }: Talk, { id }: Reply): Request | null {
  if (typeof id !== "number") return null;
  const request = awaited.get(id) ?? null;
  awaited.delete(id);
  return request;
}

/** The next second end of a turn might come when our next turn is running, and end that. */
function readStrayReply(talk: Talk, { id }: Reply): Decoded[] {
  const isSecond = typeof id === "number" && id >= 1 && id <= talk.lastRequestId;
  if (!isSecond) return unknown(talk, "a reply to what was not asked");
  return [
    anomaly("duplicate_result", "a second reply to one request"),
    { kind: "retire", reason: "the agent replied twice" },
  ];
}

function readEnd(talk: Talk, reply: Reply): Decoded[] {
  const { phase } = talk;
  if (phase.kind !== "prompted" || reply.id !== phase.requestId)
    return [strayOf("the end of an earlier turn")];
  talk.phase = { kind: "idle" };
  return reply.kind === "refusal"
    ? readError(talk, phase.turn, reply.error)
    : readResult(talk, phase.turn, reply.result);
}

function readError(talk: Talk, turn: Turn, error: unknown): Decoded[] {
  const verdict: Verdict = turn.isCancelled
    ? { kind: "aborted" }
    : { kind: "failed", ...failureOf(talk.agent, error) };
  return [
    ...events(finishTurn(turn, true)),
    ...keepYoungHelpers(talk, verdict),
    { kind: "turn.ended", verdict },
  ];
}

/** opencode counts nothing of a turn that was cancelled (recording acp_cancel), though it used something. */
function isUncounted(verdict: Verdict, usage: Usage): boolean {
  return verdict.kind === "aborted" && !hasTokens(usage);
}

function readResult(talk: Talk, turn: Turn, value: unknown): Decoded[] {
  const result = promptResultSchema.safeParse(value).data ?? {};
  const usage = usageOf(result);
  const verdict = verdictOf(result, turn, usage);
  const succeeded = verdict.kind === "succeeded";
  talk.isInstructed ||= succeeded;
  return [
    ...events(finishTurn(turn, !succeeded)),
    ...events(succeeded && verdict.byCliItself ? [commandNotice(turn)] : []),
    ...used(usage && isUncounted(verdict, usage) ? null : usage),
    ...keepYoungHelpers(talk, verdict),
    { kind: "turn.ended", verdict },
  ];
}
