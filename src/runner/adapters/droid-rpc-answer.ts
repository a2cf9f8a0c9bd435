import type { RunEventBody } from "../../domain/event.ts";
import { type GrowingText, growingText } from "../../domain/growing-text.ts";
import { thought } from "./decoded.ts";
import type { ContentBlock } from "./droid-rpc-messages.ts";
import { plainText } from "./plain-text.ts";

interface TextBlock {
  readonly number: number;
  /** Its place among all blocks of the message; null for one that came whole. */
  readonly index: number | null;
  text: GrowingText;
}

interface Message {
  /** In the order in which they began. */
  readonly blocks: TextBlock[];
  hasThoughts: boolean;
}

/**
 * The text of one turn, put together from deltas and whole messages without saying anything twice. Blocks are
 * numbered over the whole turn. A message comes as deltas and then once more whole; where its stream breaks off
 * it is retracted, and comes again under the same id (recording warm-broken-stream).
 */
export interface Answer {
  nextBlock: number;
  readonly messages: Map<string, Message>;
}

export function newAnswer(): Answer {
  return { nextBlock: 0, messages: new Map() };
}

export function addText(answer: Answer, messageId: string, index: number, delta: string): RunEventBody[] {
  const text = plainText(delta);
  if (text === "") return [];
  const { blocks } = messageOf(answer, messageId);
  const block = blocks.find((candidate) => candidate.index === index) ?? beginBlock(answer, blocks, index);
  return say(block, text);
}

export function addThought(answer: Answer, messageId: string, delta: string): RunEventBody[] {
  messageOf(answer, messageId).hasThoughts = true;
  return thought(delta);
}

/** A whole message: says what didn't stream. Its n-th text belongs to the n-th block that streamed. */
export function completeMessage(
  answer: Answer,
  messageId: string,
  content: readonly ContentBlock[],
): RunEventBody[] {
  const { blocks, hasThoughts } = messageOf(answer, messageId);
  const thoughts = hasThoughts ? [] : content.flatMap(({ thinking = "" }) => thought(thinking));
  const texts = content.filter(({ type }) => type === "text").map(({ text = "" }) => plainText(text));
  const said = texts.filter((text) => text !== "");
  const rest = said.map((text, at) => completeBlock(blocks[at] ?? beginBlock(answer, blocks, null), text));
  return [...thoughts, ...rest.flat()];
}

/** What was said of this message is void. */
export function retractMessage(answer: Answer, messageId: string): RunEventBody[] {
  const { blocks } = messageOf(answer, messageId);
  answer.messages.delete(messageId);
  const first = blocks[0]?.number ?? answer.nextBlock;
  if (first + blocks.length === answer.nextBlock) answer.nextBlock = first;
  return blocks.flatMap(discard);
}

function messageOf({ messages }: Answer, messageId: string): Message {
  const message = messages.get(messageId) ?? { blocks: [], hasThoughts: false };
  messages.set(messageId, message);
  return message;
}

function beginBlock(answer: Answer, blocks: TextBlock[], index: number | null): TextBlock {
  const block = { number: answer.nextBlock++, index, text: growingText() };
  blocks.push(block);
  return block;
}

function completeBlock(block: TextBlock, text: string): RunEventBody[] {
  if (text.startsWith(block.text.whole())) return say(block, text.slice(block.text.length));
  return [...discard(block), ...say(block, text)];
}

function say(block: TextBlock, text: string): RunEventBody[] {
  if (text === "") return [];
  block.text.add(text);
  return [{ type: "text", text, block: block.number }];
}

function discard(block: TextBlock): RunEventBody[] {
  block.text = growingText();
  return [{ type: "text.discarded", block: block.number }];
}
