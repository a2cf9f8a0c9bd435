import type { Decoded, Dialogue, DialogueSpec } from "./adapter.ts";
import { anomaly, events, stray } from "./decoded.ts";
import { failureOf } from "./droid-failure.ts";
import { notOfferedInput, replyInput, requestInput } from "./droid-rpc-input.ts";
import {
  notificationSchema,
  permissionSchema,
  type Reply,
  replySchema,
  requestSchema,
  type ServerRequest,
} from "./droid-rpc-messages.ts";
import { openTalk, readOpening } from "./droid-rpc-opening.ts";
import { answerPermission } from "./droid-rpc-permissions.ts";
import { isBetweenTurns, newTalk, sendPrompt, type Talk, unknownIn } from "./droid-rpc-talk.ts";
import { readTold } from "./droid-rpc-told.ts";
import { parseObject, typeOf } from "./json-line.ts";
import { type Read, reader } from "./line-reader.ts";
import { notice } from "./notices.ts";

/** Speaks stream-jsonrpc with one process, in one session. */
export function openRpcDialogue(spec: DialogueSpec): Dialogue {
  const talk = newTalk(spec);
  return {
    get prompted() {
      return talk.turns > 0;
    },
    begin: (prompt) => begin(talk, prompt),
    decode: (line) => decode(talk, line),
    interrupt: (requestId) => interrupt(talk, requestId),
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

/** Ends the turn within half a second, and its tools with it; the process lives on (recording warm-interrupt). */
function interrupt({ phase }: Talk, requestId: string): string | null {
  const isRunning = phase.kind === "sent" || phase.kind === "running";
  return isRunning ? requestInput(requestId, "interrupt_session", {}) : null;
}

function decode(talk: Talk, line: string): Decoded[] {
  const value = parseObject(line);
  if (!value) return [anomaly(isBetweenTurns(talk) ? "output_after_result" : "parse_error", line)];
  const type = typeOf(value);
  const { method } = value;
  return readers.get(type)?.(talk, value) ?? unknownIn(talk, typeof method === "string" ? method : type);
}

const readers = new Map<string, Read<Talk, Decoded>>([
  ["response", reader(replySchema, readReply)],
  ["request", reader(requestSchema, readRequest)],
  ["notification", reader(notificationSchema, (talk, { params }) => readTold(talk, params))],
]);

/** A line of ours that it could not read Droid refuses without an id (recording jsonrpc-refused). */
function readReply(talk: Talk, reply: Reply): Decoded[] {
  const { phase } = talk;
  const isWaiting = phase.kind === "opening" || phase.kind === "sent";
  const id = reply.id ?? (isWaiting ? phase.requestId : null);
  if (id === null) return [stray("a refusal of what was not said")];
  if (phase.kind === "opening" && id === phase.requestId) return readOpening(talk, phase.prompt, id, reply);
  const isOfTurn = (phase.kind === "sent" || phase.kind === "running") && id === phase.requestId;
  if (isOfTurn) return readAcknowledged(talk, reply);
  return [{ kind: "control.replied", requestId: id, ok: reply.refusal === null }];
}

/** A prompt is acknowledged, and may be refused after that (recording jsonrpc-refused). */
function readAcknowledged(talk: Talk, { refusal }: Reply): Decoded[] {
  if (refusal === null) return [];
  talk.phase = { kind: "idle" };
  return [{ kind: "turn.ended", verdict: { kind: "failed", ...failureOf(refusal) } }];
}

function readRequest(talk: Talk, { id, method, params }: ServerRequest): Decoded[] {
  switch (method) {
    case "droid.request_permission":
      return readPermission(talk, id, params);
    case "droid.ask_user":
      return readQuestion(talk, id);
    default:
      return [{ kind: "write", input: notOfferedInput(id, method) }, ...unknownIn(talk, method)];
  }
}

function readPermission({ phase, spec }: Talk, id: string, params: unknown): Decoded[] {
  const asked = permissionSchema.safeParse(params).data ?? { toolUses: [], options: [] };
  const isRunning = phase.kind === "running";
  const { selectedOption, deniedTool, denials } = answerPermission(
    isRunning ? spec.permissionMode : "read",
    asked,
  );
  const answer = { kind: "write", input: replyInput(id, { selectedOption }) } as const;
  if (!isRunning) return [answer, stray("a question for permission")];
  phase.turn.deniedTool = deniedTool ?? phase.turn.deniedTool;
  return [answer, ...events(denials)];
}

/** Questions are for people, and nobody is there. */
function readQuestion(talk: Talk, id: string): Decoded[] {
  const asked = notice("cli_warning", "Droid asked its user a question, which nobody can answer here.");
  const answer = { kind: "write", input: replyInput(id, { cancelled: true, answers: [] }) } as const;
  return [answer, ...(isBetweenTurns(talk) ? [stray("a question for its user")] : events([asked]))];
}
