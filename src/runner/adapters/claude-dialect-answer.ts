import type { RunEventBody } from "../../domain/event.ts";
import { type GrowingText, growingText } from "../../domain/growing-text.ts";
import { thought } from "./decoded.ts";
import { plainText } from "./plain-text.ts";

interface TextBlock {
  number: number;
  text: GrowingText;
  /** The complete `assistant` event of it has come. */
  complete: boolean;
}

/**
 * The text of one turn, put together from deltas and complete messages without saying anything twice.
 * Blocks are numbered over the whole turn. A message's deltas come before its `assistant` event, which comes
 * before content_block_stop (recording simple_partial) and doesn't come when the stream breaks off; then
 * the CLI asks the model again, and the same text streams once more in a new message.
 */
export interface Answer {
  nextBlock: number;
  messageId: string | null;
  streamedThinking: boolean;
  charsSinceTool: number;
  /** The current message's streamed blocks by their index in it, in the order in which they began. */
  streamed: Map<number, TextBlock>;
}

export function newAnswer(): Answer {
  return { nextBlock: 0, messageId: null, streamedThinking: false, charsSinceTool: 0, streamed: new Map() };
}

/** What the message before left unfinished had broken off. */
export function beginMessage(answer: Answer, messageId: string | null): RunEventBody[] {
  const broken = [...answer.streamed.values()].filter((block) => !block.complete);
  answer.nextBlock = broken[0]?.number ?? answer.nextBlock;
  answer.streamed.clear();
  answer.streamedThinking = false;
  answer.messageId = messageId;
  return broken.flatMap((block) => discard(answer, block));
}

export function addText(answer: Answer, index: number, text: string): RunEventBody[] {
  const block = answer.streamed.get(index) ?? newBlock(answer, false);
  answer.streamed.set(index, block);
  return say(answer, block, plainText(text));
}

export function addThinking(answer: Answer, thinking: string): RunEventBody[] {
  answer.streamedThinking = true;
  return thought(thinking);
}

/** A whole text block: says what didn't stream. */
export function completeText(answer: Answer, messageId: string | null, text: string): RunEventBody[] {
  const discarded = isOtherMessage(answer, messageId) ? beginMessage(answer, messageId) : [];
  const block = [...answer.streamed.values()].find((candidate) => !candidate.complete);
  return [...discarded, ...completeBlock(answer, block ?? newBlock(answer, true), plainText(text))];
}

export function completeThinking(answer: Answer, thinking: string): RunEventBody[] {
  return answer.streamedThinking ? [] : thought(thinking);
}

export function noteTool(answer: Answer): void {
  answer.charsSinceTool = 0;
}

/** The CLI's own result is said only when nothing else was, since the last tool call. */
export function completeResult(answer: Answer, result: string): RunEventBody[] {
  return answer.charsSinceTool > 0 ? [] : say(answer, newBlock(answer, true), plainText(result));
}

function newBlock(answer: Answer, complete: boolean): TextBlock {
  return { number: answer.nextBlock++, text: growingText(), complete };
}

function isOtherMessage(answer: Answer, messageId: string | null): boolean {
  return messageId !== null && answer.messageId !== null && messageId !== answer.messageId;
}

/** An aborted message can hold less than was streamed; what was shown stays. */
function completeBlock(answer: Answer, block: TextBlock, text: string): RunEventBody[] {
  block.complete = true;
  const said = block.text.whole();
  if (text.startsWith(said)) return say(answer, block, text.slice(said.length));
  if (said.startsWith(text)) return [];
  return [...discard(answer, block), ...say(answer, block, text)];
}

function say(answer: Answer, block: TextBlock, text: string): RunEventBody[] {
  if (text === "") return [];
  block.text.add(text);
  answer.charsSinceTool += text.length;
  return [{ type: "text", text, block: block.number }];
}

function discard(answer: Answer, block: TextBlock): RunEventBody[] {
  answer.charsSinceTool -= block.text.length;
  block.text = growingText();
  return [{ type: "text.discarded", block: block.number }];
}
