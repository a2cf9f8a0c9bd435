import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { conversationStates } from "../../src/domain/conversation.ts";
import { glancesOf } from "../../src/store/agent-glances.ts";
import { listAnswerHtml } from "../../src/store/answer-html.ts";
import { conversationGlances } from "../../src/store/conversation-glances.ts";
import { listConversationRows } from "../../src/store/conversations.ts";
import { lastEventSeq } from "../../src/store/run-events.ts";
import { searchConversations, withMatches } from "../../src/store/search.ts";
import { findToolCall } from "../../src/store/tool-calls.ts";
import { listTurnsAfter, listTurnsBefore } from "../../src/store/turns.ts";
import { importConversations, openTestStore, running, settings, type TestStore } from "./fixture.ts";

const everything = {
  agentKey: null,
  cli: null,
  state: null,
  fromMs: null,
  toMs: null,
  before: null,
  limit: 51,
};
const ids = Array.from({ length: 200 }, (_, index) => `id-${index}`);

/** What pages ask for, each as it is asked. */
const reads: Record<string, (database: Database) => unknown> = {
  "HTML of a page's answers": (database) => listAnswerHtml(database, ids, 1),
  "what agents do": (database) => glancesOf(database, ["ada", ...ids]),
  "what lists show of conversations": (database) => conversationGlances(database, ids),
  "the newest turns": (database) =>
    listTurnsBefore(database, { conversationId: "c", before: null, limit: 50 }),
  "turns after one": (database) => listTurnsAfter(database, { conversationId: "c", after: 5_000, limit: 50 }),
  "the newest event's number": (database) => lastEventSeq(database, "run_x"),
  "a tool call": (database) => findToolCall(database, "run_x", "t1"),
  "all conversations": (database) => listConversationRows(database, everything),
  "an agent's conversations": (database) => listConversationRows(database, { ...everything, agentKey: 1 }),
  "a CLI's conversations": (database) => listConversationRows(database, { ...everything, cli: "demo" }),
  "an agent's failed conversations": (database) =>
    listConversationRows(database, { ...everything, agentKey: 1, state: "failed" }),
  "a search for a rare word": (database) => {
    const found = searchConversations(database, { ...everything, matchQuery: '"rare"' });
    return withMatches(database, '"rare"', found);
  },
  "a search for a word that is everywhere": (database) =>
    searchConversations(database, { ...everything, matchQuery: '"common"' }),
  ...Object.fromEntries(
    conversationStates.map((state) => [
      `conversations that are ${state}`,
      (database: Database) => listConversationRows(database, { ...everything, state }),
    ]),
  ),
};

/** Statements that are asked while `read` runs. */
function statementsOf(database: Database, read: (database: Database) => unknown): string[] {
  const asked: string[] = [];
  const watched = new Proxy(database, {
    get(target, name) {
      if (name !== "query") return Reflect.get(target, name, target) as unknown;
      return (sql: string) => {
        asked.push(sql);
        return target.query(sql);
      };
    },
  });
  read(watched);
  return asked;
}

/** How SQLite goes about a statement, one step a line. */
function planOf(database: Database, sql: string): string[] {
  const steps = database.query(`explain query plan ${sql}`).all() as { detail: string }[];
  return steps.map((step) => step.detail);
}

async function fill(at: TestStore): Promise<void> {
  await at.store.createAgent(settings());
  const claimed = await running(at.store);
  const started = { type: "tool.started", toolId: "t1", name: "Bash", input: null } as const;
  await at.store.append(claimed.runId, claimed.fence, [started], 1);
  const turns = [...Array.from({ length: 2_001 }, () => "common"), "rare"];
  importConversations(at, [{ id: "c", turns, updatedAtMs: 1 }]);
}

test("nothing that pages read goes through all conversations, runs, turns, events or rendered answers", async () => {
  await using at = openTestStore();
  await fill(at);
  const database = new Database(join(at.dataDir, "headway.db"), { readonly: true, strict: true });

  const plans = Object.entries(reads).flatMap(([name, read]) =>
    statementsOf(database, read).map((sql) => ({ name, plan: planOf(database, sql) })),
  );

  database.close();
  const scans = plans.flatMap(({ name, plan }) =>
    plan
      .filter((step) => /^SCAN (conversations|runs|turns|run_events|answer_html)\b/.test(step))
      // Indexes that hold only the few that wait, are in progress or are talked in.
      .filter((step) => !/INDEX (runs_queued|runs_one_active|conversations_one_active)$/.test(step))
      .map((step) => `${name}: ${step}`),
  );
  expect(plans.length).toBeGreaterThan(Object.keys(reads).length);
  expect(scans).toEqual([]);
});
