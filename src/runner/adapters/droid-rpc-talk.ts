import type { Decoded, DialogueSpec, Failure, Verdict } from "./adapter.ts";
import { events } from "./decoded.ts";
import { requestInput } from "./droid-rpc-input.ts";
import { newTurn, type Turn } from "./droid-rpc-turn.ts";
import { refusedHandshake } from "./handshake.ts";
import { unknownEvent } from "./unknown-events.ts";

/** Ids of our requests: those of turns are numbered over the process, interrupts bring their own. */
export const openId = "open";
export const settingsId = "settings";

type Phase =
  /** Nothing was said yet. */
  | { kind: "unopened" }
  /** The session is being opened, and one request of ours is without its reply; the prompt waits for that. */
  | { kind: "opening"; prompt: string; requestId: string }
  /** The prompt was handed over, and what comes before it comes back is none of its answer. */
  | { kind: "sent"; requestId: string; turn: Turn; isDiscarded: boolean }
  | { kind: "running"; requestId: string; turn: Turn; turnId: string }
  /** The session is open and no turn is running. */
  | { kind: "idle" }
  /** It could not be opened, and never will be. */
  | { kind: "broken"; verdict: Verdict };

/** The talk with one process: what was asked and what is known. */
export interface Talk {
  readonly spec: DialogueSpec;
  phase: Phase;
  turns: number;
  session: { id: string; model: string | null };
  readonly shownTypes: Set<string>;
}

export function newTalk(spec: DialogueSpec): Talk {
  return {
    spec,
    phase: { kind: "unopened" },
    turns: 0,
    session: { id: spec.sessionId, model: null },
    shownTypes: new Set(),
  };
}

/** No turn is running, nor will one be that was begun. */
export function isBetweenTurns({ phase }: Talk): boolean {
  return phase.kind === "idle" || phase.kind === "broken";
}

export function unknownIn(talk: Talk, type: string): Decoded[] {
  return unknownEvent(isBetweenTurns(talk) ? null : talk.shownTypes, type);
}

/** A request of the handshake, which waits for the reply to it. */
export function askFirst(talk: Talk, prompt: string, id: string, method: string, params: object): Decoded[] {
  talk.phase = { kind: "opening", prompt, requestId: id };
  return [{ kind: "write", input: requestInput(id, method, params) }];
}

/** Begins a turn in the open session. */
export function sendPrompt(talk: Talk, prompt: string): Decoded[] {
  const { session, spec } = talk;
  talk.turns += 1;
  const requestId = `turn-${talk.turns}`;
  talk.phase = { kind: "sent", requestId, turn: newTurn(spec.permissionMode), isDiscarded: false };
  return [
    ...events([{ type: "session", cliSessionId: session.id, model: session.model }]),
    { kind: "write", input: requestInput(requestId, "add_user_message", { text: prompt }) },
  ];
}

/** The end of a turn whose prompt was never sent, and of every other that this process might be given. */
export function breakOff(talk: Talk, failure: Failure): Decoded[] {
  const verdict = refusedHandshake(failure);
  talk.phase = { kind: "broken", verdict };
  return [{ kind: "turn.ended", verdict }];
}
