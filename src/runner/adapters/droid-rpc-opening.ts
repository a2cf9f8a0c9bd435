import type { Decoded, Failure } from "./adapter.ts";
import { failureOf } from "./droid-failure.ts";
import { initializeParams, settingsParams } from "./droid-rpc-input.ts";
import { type Reply, type SessionReply, sessionSchema } from "./droid-rpc-messages.ts";
import { askFirst, breakOff, openId, sendPrompt, settingsId, type Talk } from "./droid-rpc-talk.ts";
import { asLostSession } from "./handshake.ts";
import { plainOrNull } from "./plain-text.ts";

/**
 * Begins the session under our id, or loads the one that goes on: in its own folder, under its own system
 * prompt, and with the settings that it had, which are then set anew (recordings warm-turns, warm-resume).
 */
export function openTalk(talk: Talk, prompt: string): Decoded[] {
  const { spec } = talk;
  return spec.resume
    ? askFirst(talk, prompt, openId, "load_session", { sessionId: spec.sessionId })
    : askFirst(talk, prompt, openId, "initialize_session", initializeParams(spec, prompt));
}

/** The reply to what opens the session, and with a loaded one to its settings. */
export function readOpening(talk: Talk, prompt: string, requestId: string, reply: Reply): Decoded[] {
  return requestId === settingsId ? readSettled(talk, prompt, reply) : readOpened(talk, prompt, reply);
}

function readOpened(talk: Talk, prompt: string, { result, refusal }: Reply): Decoded[] {
  const { spec } = talk;
  if (refusal !== null) return breakOff(talk, whyRefused(talk, refusal));
  const opened = sessionSchema.safeParse(result).data ?? {};
  const trouble = troubleWith(talk, opened);
  if (trouble) return breakOff(talk, trouble);
  talk.session = {
    id: spec.resume ? spec.sessionId : (opened.sessionId ?? spec.sessionId),
    model: spec.model ?? plainOrNull(opened.settings?.modelId),
  };
  if (!spec.resume) return sendFirst(talk, prompt);
  return askFirst(talk, prompt, settingsId, "update_session_settings", settingsParams(spec));
}

/** A session that has to be begun anew, or a model that Droid would pass over in silence. */
function troubleWith({ spec }: Talk, opened: SessionReply): Failure | null {
  if (spec.resume && opened.session?.messages?.length === 0) {
    return { code: "session_lost", message: "Droid has kept nothing of this conversation's session." };
  }
  if (opened.isAgentLoopInProgress) {
    return { code: "cli_error", message: "Droid goes on with an earlier turn of this session by itself." };
  }
  if (spec.model !== null && !knowsModel(spec.model, opened)) {
    return { code: "cli_error", message: `Droid does not know the model ${spec.model}.` };
  }
  return null;
}

/** With a model that it doesn't know it begins all the same, and takes its own choice (recording warm-bad-model). */
function knowsModel(model: string, { settings, availableModels }: SessionReply): boolean {
  if (settings?.modelId === model || !availableModels) return true;
  return availableModels.some(({ id }) => id === model);
}

/** Recordings warm-lost, warm-torn-session. */
function whyRefused({ spec }: Talk, said: string): Failure {
  const failure = failureOf(said);
  return spec.resume ? asLostSession(failure) : failure;
}

/** What an organisation's policy forbids must not be begun under other settings. */
function readSettled(talk: Talk, prompt: string, { refusal }: Reply): Decoded[] {
  return refusal === null ? sendFirst(talk, prompt) : breakOff(talk, failureOf(refusal));
}

/** By now Droid has started the MCP servers that it was configured with. */
function sendFirst(talk: Talk, prompt: string): Decoded[] {
  return [{ kind: "helpers.kept" }, ...sendPrompt(talk, prompt)];
}
