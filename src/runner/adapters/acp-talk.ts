import type { AcpAgent } from "./acp-dialect.ts";
import { requestInput } from "./acp-input.ts";
import { newTurn, type Turn } from "./acp-turn.ts";
import type { Decoded, DialogueSpec, Failure, Verdict } from "./adapter.ts";
import { events, stray } from "./decoded.ts";
import { firstPrompt } from "./first-prompt.ts";
import { refusedHandshake } from "./handshake.ts";
import { notice } from "./notices.ts";
import { unknownEvent } from "./unknown-events.ts";

/** What we have asked the agent for. */
export type Request = "initialize" | "session" | "permission mode" | "model" | "end of history" | "prompt";

/** A request that is still to be made before the session is as the owner wants it. */
export interface Step {
  request: Request;
  method: string;
  params: Readonly<Record<string, string>>;
}

type Phase =
  /** Nothing was said yet. */
  | { kind: "unopened" }
  /** The protocol is being opened, and the session; the prompt waits for that. */
  | {
      kind: "opening";
      prompt: string;
      steps: readonly Step[];
      /** A loaded session has told of its history since we last asked for anything. */
      hasToldHistory: boolean;
    }
  | { kind: "prompted"; requestId: number; turn: Turn }
  /** The session is open and no turn is running. */
  | { kind: "idle" }
  /** It could not be opened, and never will be. */
  | { kind: "broken"; verdict: Verdict };

/** The talk with one process: what was asked and what is known. */
export interface Talk {
  readonly agent: AcpAgent;
  readonly spec: DialogueSpec;
  phase: Phase;
  /** Requests of ours without a reply, by id; ids count from 1. */
  readonly awaited: Map<number, Request>;
  lastRequestId: number;
  /** `spokenId` is the id that messages bear. */
  session: { spokenId: string; cliSessionId: string; model: string | null };
  /** It may go on telling a loaded session's history after its reply. */
  replaysLate: boolean;
  /** The session has kept the owner's instructions, if there are any. */
  isInstructed: boolean;
  /** It is known which processes the agent keeps beside itself. */
  areHelpersKnown: boolean;
  /** Some are too young to tell them from a tool's; they are its own if this turn ends without a tool. */
  hasYoungHelpers: boolean;
  readonly shownTypes: Set<string>;
}

export function newTalk(agent: AcpAgent, spec: DialogueSpec): Talk {
  return {
    agent,
    spec,
    phase: { kind: "unopened" },
    awaited: new Map(),
    lastRequestId: 0,
    session: { spokenId: "", cliSessionId: "", model: null },
    replaysLate: agent.replaysLate ?? false,
    isInstructed: spec.resume,
    areHelpersKnown: false,
    hasYoungHelpers: false,
    shownTypes: new Set(),
  };
}

/** Sends a request; its reply will be known by the id. */
export function ask(talk: Talk, request: Request, method: string, params: object): Decoded {
  talk.lastRequestId += 1;
  talk.awaited.set(talk.lastRequestId, request);
  return { kind: "write", input: requestInput(talk.lastRequestId, method, params) };
}

/**
 * Begins a turn in the open session. Gemini forgets a turn that failed or was cancelled (recording
 * acp_forgets), so the owner's instructions are said until a turn that brought them has succeeded.
 */
export function sendPrompt(talk: Talk, prompt: string): Decoded[] {
  const { cliSessionId, spokenId: sessionId, model } = talk.session;
  const { runsUnasked = [], isDenial = () => false } = talk.agent;
  const text = talk.isInstructed ? prompt : firstPrompt(talk.spec.systemPrompt, prompt);
  const request = ask(talk, "prompt", "session/prompt", { sessionId, prompt: [{ type: "text", text }] });
  talk.phase = {
    kind: "prompted",
    requestId: talk.lastRequestId,
    turn: newTurn(text, { ...talk.spec, runsUnasked, isDenial }),
  };
  return [...events([{ type: "session", cliSessionId, model }]), request];
}

/** The end of a turn whose prompt was never sent, and of every other that this process might be given. */
export function breakOff(talk: Talk, failure: Failure): Decoded[] {
  const verdict = refusedHandshake(failure);
  talk.phase = { kind: "broken", verdict };
  return [{ kind: "turn.ended", verdict }];
}

export function warn(message: string): Decoded[] {
  return events([notice("cli_warning", message)]);
}

export function unknown({ shownTypes, phase }: Talk, type: string): Decoded[] {
  return unknownEvent(phase.kind === "idle" ? null : shownTypes, type);
}

export function strayOf(what: string): Decoded {
  return stray(`The agent said something that belongs to no turn: ${what}.`);
}
