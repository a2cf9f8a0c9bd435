import type { Answer, Refusal, Said } from "./fake-model-answers.ts";

/** What a request asks, whatever API it came by. */
export interface Asked {
  model: string;
  stream: boolean;
  systemPrompt: string;
  history: readonly Said[];
  toolNames: readonly string[];
  apiKey: string | null;
  inputTokens: number;
  /** Where only JSON of this schema is wanted: the schema. */
  jsonSchema: unknown;
}

/** One model API's way of asking and answering. */
export interface ModelShape {
  /** Null for a request that isn't one for an answer in this shape. */
  read(request: Request, path: string, rawBody: string): Asked | null;
  /** What it says instead of an answer. */
  refuse(status: number, reason: Refusal): Response;
  whole(answer: Answer, asked: Asked): unknown;
  /** The pieces of the stream; ends early when the client has gone. Throws where the connection is to break. */
  stream(answer: Answer, asked: Asked, gone: AbortSignal): AsyncGenerator<string>;
}

/** Longer answers come in pieces of 200 characters, not of one word. */
const wordwiseCharsMax = 4_000;

/** How long a piece may take to leave the server. */
const flushMs = 50;

export function piecesOf(text: string): string[] {
  return text.match(text.length > wordwiseCharsMax ? /[\s\S]{1,200}/g : /\s*\S+(?:\s+$)?/g) ?? [];
}

/**
 * The answer's text in pieces, at the pace that was asked for. With `hang` nothing follows the first piece;
 * the generator returns true when the answer broke off, so that the caller says nothing more either.
 */
export async function* paced(
  answer: Answer,
  gone: AbortSignal,
  encodePiece: (piece: string) => string,
): AsyncGenerator<string, boolean> {
  for (const piece of piecesOf(answer.text)) {
    await pause(answer.pieceDelayMs, gone);
    if (gone.aborted) return true;
    yield encodePiece(piece);
    if (answer.breakOff === "hang") await untilGone(gone);
    if (answer.breakOff !== "no") return true;
  }
  return false;
}

/** About as many as a model would count. */
export function tokensIn(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

export function newId(prefix: string): string {
  return `${prefix}_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`;
}

/** The connection breaks off, when what was said before has gone out. */
export async function breakOff(gone: AbortSignal): Promise<never> {
  await pause(flushMs, gone);
  throw new Error("The stream breaks off, as it was asked to.");
}

/** Ends early when the client goes away. */
export async function pause(durationMs: number, gone: AbortSignal): Promise<void> {
  if (durationMs === 0 || gone.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, durationMs);
  gone.addEventListener("abort", () => resolve());
  await promise;
  clearTimeout(timer);
}

async function untilGone(gone: AbortSignal): Promise<void> {
  if (gone.aborted) return;
  await new Promise((resolve) => gone.addEventListener("abort", resolve));
}
