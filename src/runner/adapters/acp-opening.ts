import type { PermissionMode } from "../../domain/agent.ts";
import type { AcpAgent } from "./acp-dialect.ts";
import { failureOf } from "./acp-failure.ts";
import { initializeParams } from "./acp-input.ts";
import { initializedSchema, type Reply, type SessionReply, sessionSchema } from "./acp-lines.ts";
import { currentModel, modelSetting, permissionSetting, type SettingChange } from "./acp-settings.ts";
import { ask, breakOff, type Request, sendPrompt, type Step, type Talk, warn } from "./acp-talk.ts";
import type { Decoded } from "./adapter.ts";
import { asLostSession } from "./handshake.ts";
import { plainText } from "./plain-text.ts";

/**
 * Opens the protocol and the session, for the first turn of a process. Each request waits for the reply to
 * the one before: ACP wants it so, and it costs next to nothing (Gemini boots for 1.4 s, then replies within
 * a millisecond).
 */
export function openTalk(talk: Talk, prompt: string): Decoded[] {
  talk.phase = { kind: "opening", prompt, steps: [], hasToldHistory: false };
  return [ask(talk, "initialize", "initialize", initializeParams)];
}

export function readInitialized(talk: Talk, reply: Reply): Decoded[] {
  const { agent } = talk;
  if (reply.kind === "refusal") return breakOff(talk, failureOf(agent, reply.error));
  const told = initializedSchema.safeParse(reply.result).data;
  if (told?.protocolVersion !== 1) {
    const version = told?.protocolVersion ?? "unknown";
    const message = `${agent.label} speaks version ${version} of ACP, and Headway version 1.`;
    return breakOff(talk, { code: "cli_error", message });
  }
  const version = told.agentInfo?.version;
  return [
    ...(version === undefined ? [] : [{ kind: "version", cliVersion: plainText(version) } as const]),
    ...openSession(talk, told.agentCapabilities?.loadSession ?? false),
  ];
}

function openSession(talk: Talk, canLoad: boolean): Decoded[] {
  const { agent, spec } = talk;
  const place = { cwd: spec.cwd, mcpServers: [] };
  if (!spec.resume) return [ask(talk, "session", "session/new", place)];
  if (!canLoad) {
    const message = `${agent.label} can't go on with an earlier session.`;
    return breakOff(talk, { code: "session_lost", message });
  }
  const spokenId = agent.loadedAs?.(spec.sessionId) ?? spec.sessionId;
  talk.session = { ...talk.session, spokenId, cliSessionId: spec.sessionId };
  return [ask(talk, "session", "session/load", { sessionId: spokenId, ...place })];
}

export function readSession(talk: Talk, reply: Reply): Decoded[] {
  const { agent, spec } = talk;
  if (reply.kind === "refusal") {
    const failure = failureOf(agent, reply.error);
    // opencode tells no reason (recording acp_load_unknown).
    return breakOff(talk, spec.resume ? asLostSession(failure) : failure);
  }
  const session = sessionSchema.safeParse(reply.result).data ?? {};
  if (!spec.resume && !session.sessionId) {
    return breakOff(talk, {
      code: "cli_error",
      message: `${agent.label} began a session without naming it.`,
    });
  }
  const begun = { spokenId: session.sessionId ?? "", cliSessionId: session.sessionId ?? "" };
  talk.session = { ...(spec.resume ? talk.session : begun), model: currentModel(session) };
  const settings = settingsOf(talk, session);
  noteHistory(talk);
  return [
    { kind: "helpers.kept" },
    ...settings.flatMap(({ notices }) => notices),
    ...takeStep(
      talk,
      settings.flatMap(({ steps }) => steps),
    ),
  ];
}

interface Settings {
  steps: Step[];
  notices: Decoded[];
}

function settingsOf({ agent, spec }: Talk, session: SessionReply): Settings[] {
  const { permissionMode, model } = spec;
  return [
    agent.permissionModeByArgs ? none : permissionModeOf(agent, permissionMode, session),
    agent.modelByArgs || model === null ? none : modelOf(agent, model, session),
  ];
}

const none: Settings = { steps: [], notices: [] };

function permissionModeOf(agent: AcpAgent, mode: PermissionMode, session: SessionReply): Settings {
  const { isOffered, change } = permissionSetting(session, mode);
  const steps = stepTo("permission mode", change);
  // In the others a notice tells of each tool that the mode wouldn't have allowed, when it has run.
  if (isOffered || mode !== "read") return { steps, notices: [] };
  const message = `${agent.label} has no mode of its own that only reads: what it asks for is answered so, but it need not ask.`;
  return { steps, notices: warn(message) };
}

function modelOf(agent: AcpAgent, model: string, session: SessionReply): Settings {
  const { isOffered, change } = modelSetting(session, model);
  if (isOffered) return { steps: stepTo("model", change), notices: [] };
  const choice = currentModel(session) ?? "its own choice";
  return {
    steps: [],
    notices: warn(`${agent.label} doesn't offer the model ${model}; it goes on with ${choice}.`),
  };
}

function stepTo(request: Request, change: SettingChange | null): Step[] {
  return change ? [{ request, ...change }] : [];
}

/** While a session is being loaded, what is told is its history. */
export function noteHistory(talk: Talk): void {
  if (talk.phase.kind === "opening") talk.phase.hasToldHistory = talk.spec.resume;
}

/**
 * A loaded session's history should be told before the reply, but Gemini goes on with it afterwards, one update
 * after the other (recordings acp_load, acp_load_long), and a prompt that is sent meanwhile would be followed by
 * what looks like its answer. When nothing of it comes between a request and its reply, it is over; so one is
 * made until then. Every agent has to reply to every request, if only that it doesn't know the method; names with
 * this prefix are the protocol's own place for such.
 */
const endOfHistory: Step = { request: "end of history", method: "_headway/end_of_history", params: {} };

/** The next step, or the prompt when there is none left. */
function takeStep(talk: Talk, steps: readonly Step[]): Decoded[] {
  const { phase, session } = talk;
  if (phase.kind !== "opening") return [];
  const [step = phase.hasToldHistory ? endOfHistory : null, ...later] = steps;
  if (!step) return sendPrompt(talk, phase.prompt);
  talk.phase = { ...phase, steps: later, hasToldHistory: false };
  return [ask(talk, step.request, step.method, { sessionId: session.spokenId, ...step.params })];
}

/** The reply to a step. */
export function readStep(talk: Talk, request: Request, reply: Reply): Decoded[] {
  const { agent, spec, phase } = talk;
  const steps = phase.kind === "opening" ? phase.steps : [];
  if (reply.kind === "reply" && request === "model") talk.session = { ...talk.session, model: spec.model };
  if (reply.kind === "reply" || request === "end of history") return takeStep(talk, steps);
  const refused = `${agent.label} refused to change its ${request}: ${failureOf(agent, reply.error).message}`;
  // What was to be only read must not be written because a mode could not be set.
  const isUnsafe = request === "permission mode" && spec.permissionMode === "read";
  if (isUnsafe) return breakOff(talk, { code: "cli_error", message: refused });
  return [...warn(refused), ...takeStep(talk, steps)];
}
