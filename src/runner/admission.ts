import type { Breaker } from "../domain/breaker.ts";
import { type Clock, isoTime } from "../domain/clock.ts";
import type { PublishFact } from "../domain/facts.ts";
import type { MakeId } from "../domain/ids.ts";
import { type AdmitResult, type AgentStore, type RunLog, StoreUnavailable } from "../domain/ports.ts";
import { promptBytesMax, shortened, utf8Bytes, withStop } from "../domain/run.ts";
import type { Breakers } from "./breakers.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Redactor } from "./policies/redaction.ts";
import type { Quarantine } from "./quarantine.ts";
import type { ExecuteOutcome, ExecuteRequest, Refusal, Wakeups } from "./runner-api.ts";

export interface AdmissionOptions {
  log: RunLog;
  agents: AgentStore;
  dispatcher: Dispatcher;
  clock: Clock;
  makeId: MakeId;
  newSessionId(): string;
  redactor: Redactor;
  publish: PublishFact;
  wakeups: Wakeups;
  breakers: Pick<Breakers, "follow" | "retryAfterSeconds">;
  quarantine: Pick<Quarantine, "pidsOf">;
  queueLimit: number;
  isDraining(): boolean;
  hash(text: string): string;
}

/** Lets a prompt in, or refuses it without a trace. */
export async function admit(
  options: AdmissionOptions,
  request: ExecuteRequest,
  retryOf: string | null = null,
): Promise<ExecuteOutcome> {
  const refusal = refusalBeforehand(options, request);
  if (refusal) return refuse(options, request, refusal);
  const reservation = reserveOnce(options.dispatcher, request.agentId);
  try {
    const result = await options.log.admit(admissionOf(options, request, retryOf, reservation.mayClaim));
    if (result.kind !== "admitted" || !result.claimed) reservation.giveBack();
    return accept(options, request, result);
  } catch (error) {
    reservation.giveBack();
    if (!(error instanceof StoreUnavailable)) throw error;
    return refuse(options, request, storeUnavailable(error));
  }
}

/** `mayClaim` may be asked again when a transaction is repeated; the slot is taken once and given back once. */
function reserveOnce(dispatcher: Dispatcher, agentId: string) {
  let reserved = false;
  return {
    mayClaim: () => (reserved ||= dispatcher.reserve(agentId)),
    giveBack() {
      if (reserved) dispatcher.unreserve(agentId);
      reserved = false;
    },
  };
}

function refusalBeforehand(options: AdmissionOptions, request: ExecuteRequest): Refusal | null {
  const agent = options.agents.findAgent(request.agentId);
  if (!agent) return agentNotFound(request.agentId);
  if (agent.commMode !== "headless") return modeUnavailable(agent.commMode);
  if (utf8Bytes(request.prompt) > promptBytesMax) return promptTooLong();
  return null;
}

function admissionOf(
  options: AdmissionOptions,
  request: ExecuteRequest,
  retryOf: string | null,
  mayClaim: () => boolean,
) {
  const { text: prompt, holes: promptHoles } = options.redactor.prompt(request.prompt);
  return {
    runId: options.makeId("run"),
    userTurnId: options.makeId("turn"),
    agentId: request.agentId,
    conversationId: request.conversationId ?? null,
    newConversationId: options.makeId("conv"),
    newCliSessionId: options.newSessionId(),
    prompt,
    promptHoles,
    timeoutMs: request.timeoutMs ?? null,
    metadata: request.metadata ?? {},
    mode: "headless" as const,
    retryOf,
    idempotency: request.idempotencyKey
      ? { key: request.idempotencyKey, bodyHash: bodyHash(options, request) }
      : null,
    queueLimit: options.queueLimit,
    isDraining: options.isDraining,
    mayClaim,
    atMs: options.clock.wallMs(),
  };
}

/** Of what the body means, not of its bytes: white space and the order of members don't make another request. */
function bodyHash(options: AdmissionOptions, request: ExecuteRequest): string {
  const { prompt, timeoutMs, conversationId, metadata } = request;
  return options.hash(canonicalJson([prompt, timeoutMs ?? null, conversationId ?? null, metadata ?? null]));
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function accept(options: AdmissionOptions, request: ExecuteRequest, result: AdmitResult): ExecuteOutcome {
  if (result.kind === "refused") return refuse(options, request, refusalOf(options, request, result));
  if (result.kind === "replay") {
    const known = options.log.getRun(result.runId);
    // Its conversation may have been deleted in the same transaction.
    if (!known) return refuse(options, request, runGone);
    return { kind: "accepted", run: known, replay: true };
  }
  const { run, claimed } = result;
  options.publish({
    type: "run.admitted",
    runId: run.id,
    agentId: run.agentId,
    cli: run.cli,
    mode: run.mode,
  });
  options.wakeups.announce({ runId: run.id, agentId: run.agentId });
  if (claimed) options.dispatcher.start(claimed);
  else options.dispatcher.enqueue({ runId: run.id, agentId: run.agentId });
  // It may be the run that probes, let in before the alarm of its breaker rang.
  options.breakers.follow(run.agentId);
  return { kind: "accepted", run, replay: false };
}

const runGone: Refusal = {
  kind: "refused",
  code: "conversation_not_found",
  detail: "The conversation of this Idempotency-Key's run was deleted just now.",
};

function refuse(options: AdmissionOptions, request: ExecuteRequest, refusal: Refusal): Refusal {
  options.publish({ type: "run.refused", agentId: request.agentId, code: refusal.code });
  return refusal;
}

function refusalOf(
  { breakers, quarantine, queueLimit }: AdmissionOptions,
  { agentId }: ExecuteRequest,
  refused: Extract<AdmitResult, { kind: "refused" }>,
): Refusal {
  const { code } = refused;
  switch (code) {
    case "breaker_open":
      return breakerOpen(refused.breaker, breakers.retryAfterSeconds(refused.breaker));
    case "agent_not_found":
      return { kind: "refused", code, detail: "The agent was deleted." };
    case "agent_quarantined":
      return quarantined(agentId, quarantine.pidsOf(agentId));
    case "conversation_not_found":
      return { kind: "refused", code, detail: "This agent has no such conversation." };
    case "draining":
      return { kind: "refused", code, detail: "The server is shutting down.", retryAfterSeconds: 5 };
    case "idempotency_mismatch":
      return { kind: "refused", code, detail: "This Idempotency-Key came with another body before." };
    case "queue_full":
      return {
        kind: "refused",
        code,
        detail: `The agent's queue holds ${queueLimit} runs and takes no more.`,
        retryAfterSeconds: 10,
      };
  }
}

export function agentNotFound(agentId: string): Refusal {
  return {
    kind: "refused",
    code: "agent_not_found",
    detail: `There is no agent named ${JSON.stringify(agentId.slice(0, 63))}.`,
  };
}

export function modeUnavailable(mode: string): Refusal {
  return {
    kind: "refused",
    code: "mode_unavailable",
    detail: `The mode ${mode} is not built yet; use headless.`,
    errors: [{ path: "commMode", message: "only headless is available" }],
  };
}

function promptTooLong(): Refusal {
  const message = `at most ${promptBytesMax} bytes of UTF-8`;
  return {
    kind: "refused",
    code: "prompt_too_long",
    detail: `A prompt has ${message}.`,
    errors: [{ path: "prompt", message }],
  };
}

/** Longest piece of a failure in a refusal; the run has all of it. */
const causeChars = 400;

function breakerOpen({ agentId, retryAtMs, cause }: Breaker, retryAfterSeconds: number): Refusal {
  const when =
    retryAtMs === null
      ? "The agent's circuit breaker is half open: one run is trying whether its service works again."
      : `The agent's circuit breaker is open, because its service failed; at ${isoTime(retryAtMs)} one run may try it.`;
  const { code = "", message = "", advice = "" } = cause ?? {};
  const said = message.endsWith(advice) ? message.slice(0, message.length - advice.length).trim() : message;
  const why = `The last failure was ${code}: ${withStop(shortened(said, causeChars))} ${advice}`;
  const wayOut = `When that is done, POST /api/agents/${agentId}/breaker/reset closes it at once.`;
  return {
    kind: "refused",
    code: "breaker_open",
    detail: `${when} ${why} ${wayOut}`,
    retryAfterSeconds,
  };
}

/** Pids in a refusal. */
const pidsShownMax = 8;

function quarantined(agentId: string, pids: readonly number[]): Refusal {
  const shown = pids.slice(0, pidsShownMax).join(", ");
  const which = shown === "" ? "" : ` Look for what is left of pid ${shown}.`;
  return {
    kind: "refused",
    code: "agent_quarantined",
    detail: `Processes of this agent could not be ended, so it gets no run until they are proven dead.${which} That is tried again every 30 seconds, and at once by POST /api/agents/${agentId}/quarantine/recheck.`,
    retryAfterSeconds: 30,
  };
}

export function storeUnavailable(error: StoreUnavailable): Refusal {
  return {
    kind: "refused",
    code: "store_unavailable",
    detail: `The store does not accept writes (${error.code}): ${error.message}. Nothing of the request was kept.`,
    retryAfterSeconds: 5,
  };
}
