import type { PermissionMode } from "../../domain/agent.ts";
import type { AcpAgent } from "./acp-dialect.ts";
import { failureOf } from "./acp-failure.ts";
import { initializeParams } from "./acp-input.ts";
import { initializedSchema, type Reply, type SessionReply, sessionSchema } from "./acp-lines.ts";
import { currentModel, modelSetting, permissionSetting, type SettingChange } from "./acp-settings.ts";
import { ask, breakOff, type Request, sendPrompt, type Step, type Talk, warn } from "./acp-talk.ts";
import { isSessionId } from "./acp-names.ts";
import type { Decoded } from "./adapter.ts";
import { asLostSession } from "./handshake.ts";

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
  const { name, version } = told.agentInfo ?? {};
  talk.replaysLate ||= name === geminiName;
  return [
    ...(version === undefined ? [] : [{ kind: "version", cliVersion: version } as const]),
    ...openSession(talk, told.agentCapabilities?.loadSession ?? false),
  ];
}

function openSession(talk: Talk, canLoad: boolean): Decoded[] {
  const { agent, spec } = talk;
  const place = { cwd: spec.cwd, mcpServers: [] };
  if (!spec.resume) return [ask(talk, "session", "session/new", place)];
  // An earlier Headway kept any id, and Gemini would make a file name of it.
  if (!canLoad || !isIdOf(agent, spec.sessionId)) {
    const message = `${agent.label} can't go on with an earlier session.`;
    return breakOff(talk, { code: "session_lost", message });
  }
  const spokenId = agent.loadedAs?.(spec.sessionId) ?? spec.sessionId;
  talk.session = { ...talk.session, spokenId, cliSessionId: spec.sessionId };
  return [ask(talk, "session", "session/load", { sessionId: spokenId, ...place })];
}

function isIdOf(agent: AcpAgent, id: string): boolean {
  return isSessionId(id) && (agent.isSessionId?.(id) ?? true);
}

export function readSession(talk: Talk, reply: Reply): Decoded[] {
  const { agent, spec } = talk;
  if (reply.kind === "refusal") {
    const failure = failureOf(agent, reply.error);
    // opencode tells no reason (recording acp_load_unknown).
    return breakOff(talk, spec.resume ? asLostSession(failure) : failure);
  }
  const session = sessionSchema.safeParse(reply.result).data ?? {};
  const { sessionId: named = "" } = session;
  const flaw = spec.resume ? null : flawOf(agent, named);
  if (flaw !== null) return breakOff(talk, { code: "cli_error", message: flaw });
  const begun = { spokenId: named, cliSessionId: named };
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

/** What is wrong with the id of a new session; it goes into argv, files' names and pages. */
function flawOf(agent: AcpAgent, named: string): string | null {
  if (named === "") return `${agent.label} began a session without naming it.`;
  if (isIdOf(agent, named)) return null;
  return `${agent.label} gave its session an id that Headway can't use.`;
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
  if (talk.phase.kind === "opening") talk.phase.hasToldHistory = talk.spec.resume && talk.replaysLate;
}

/** By which it goes also where its owner configures it as some agent. */
const geminiName = "gemini-cli";

/**
 * A loaded session's history is told before the reply, as the protocol has it (opencode, recording acp_load), but
 * Gemini goes on with it afterwards, one update after the other (recordings acp_load, acp_load_long), and a prompt
 * that is sent meanwhile would be followed by what looks like its answer. When nothing of it comes between a request
 * and its reply, it is over; so one is made until then, of Gemini alone: an agent that leaves unknown methods without
 * a reply would never be prompted. Names with this prefix are the protocol's own place for such.
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
