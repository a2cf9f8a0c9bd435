import type { Context } from "hono";
import type { ConversationHead, Turn } from "../domain/conversation.ts";
import type { ConversationStore } from "../domain/ports.ts";

export const exportFormats = ["md", "json", "jsonl"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Turns read at once: an export of any length holds no more than this in memory. */
const pageTurns = 200;

const contentTypes: Record<ExportFormat, string> = {
  md: "text/markdown; charset=utf-8",
  json: "application/json",
  jsonl: "application/jsonl",
};

/** The whole conversation, oldest turn first, made while it is sent. */
export function exportConversation(
  c: Context,
  conversations: ConversationStore,
  head: ConversationHead,
  format: ExportFormat,
): Response {
  const text = textOf[format](head, turnsOf(conversations, head));
  return c.body(streamOf(text), 200, {
    "Content-Type": contentTypes[format],
    "Content-Disposition": `attachment; filename="${head.id}.${format}"`,
  });
}

function* turnsOf(conversations: ConversationStore, head: ConversationHead): Generator<Turn> {
  for (let from = 1; from <= head.turnCount; from += pageTurns) {
    const { turns } = conversations.pageTurns(head.id, { limit: pageTurns, before: from + pageTurns });
    yield* turns.filter((turn) => turn.seq !== null && turn.seq >= from && turn.seq < from + pageTurns);
  }
}

const textOf: Record<ExportFormat, (head: ConversationHead, turns: Iterable<Turn>) => Generator<string>> = {
  *md(head, turns) {
    yield `# ${head.title}\n\n${head.agentId} (${head.cli}), begun ${head.createdAt}\n`;
    for (const turn of turns) {
      const partial = turn.final ? "" : " (partial)";
      yield `\n## ${turn.role}${partial}, ${turn.createdAt}\n\n${turn.content}\n`;
    }
  },
  *json(head, turns) {
    yield `${JSON.stringify(head).slice(0, -1)},"turns":[`;
    let separator = "";
    for (const turn of turns) {
      yield separator + JSON.stringify(turn);
      separator = ",";
    }
    yield "]}\n";
  },
  *jsonl(_head, turns) {
    for (const turn of turns) yield `${JSON.stringify(turn)}\n`;
  },
};

function streamOf(pieces: Generator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel() {
      pieces.return(undefined);
    },
  });
}
