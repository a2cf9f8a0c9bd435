import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { conversationStates } from "../../src/domain/conversation.ts";
import { glancesOf } from "../../src/store/agent-glances.ts";
import { listQuarantinedAgents } from "../../src/store/agents.ts";
import { listBreakers } from "../../src/store/breakers.ts";
import { deleteOtherAnswerHtml, listAnswerHtml } from "../../src/store/answer-html.ts";
import { conversationGlances } from "../../src/store/conversation-glances.ts";
import { dropOldSessions, listConversationRows, markSessionBegun } from "../../src/store/conversations.ts";
import {
  deleteEndedProcessesOfConversation,
  deleteOldProcesses,
  deleteProcessOfDeletedConversation,
  hasOpenProcess,
  listOpenProcesses,
} from "../../src/store/processes.ts";
import { lastEventSeq } from "../../src/store/run-events.ts";
import { listMissingRuns } from "../../src/store/runs.ts";
import { searchConversations, withMatches } from "../../src/store/search.ts";
import { findToolCall } from "../../src/store/tool-calls.ts";
import { hasAnswers, listTurnsAfter, listTurnsBefore } from "../../src/store/turns.ts";
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
  "breakers that aren't as they were made": (database) => listBreakers(database, 500),
  "agents in quarantine": (database) => listQuarantinedAgents(database),
  "processes that may live on": (database) => listOpenProcesses(database, "ada"),
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

/** What a turn does with its session and its process, and what jobs remove. */
const writes: Record<string, (database: Database) => unknown> = {
  "a session that the CLI named": (database) =>
    markSessionBegun(database, { conversationId: "c", cliSessionId: "s", fingerprint: "f" }),
  "whether there were answers": (database) => hasAnswers(database, "c"),
  "whether a process is in the way": (database) =>
    hasOpenProcess(database, { agentKey: 1, conversationId: "c" }),
  "a process of a deleted conversation": (database) => deleteProcessOfDeletedConversation(database, "p"),
  "processes of a conversation": (database) => deleteEndedProcessesOfConversation(database, "c", 10),
  "old processes": (database) => deleteOldProcesses(database, 1, 10),
  "old sessions": (database) => dropOldSessions(database, 1, 10),
  "HTML of other versions": (database) => deleteOtherAnswerHtml(database, 1, 10),
  "runs that are not there": (database) => listMissingRuns(database, ids),
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

function plansOf(database: Database, asked: Record<string, (database: Database) => unknown>) {
  return Object.entries(asked).flatMap(([name, ask]) =>
    statementsOf(database, ask).map((sql) => ({ name, plan: planOf(database, sql) })),
  );
}

/** Indexes that hold only the few that wait, are in progress, are talked in, or ended within a month. */
const fewEntries =
  /INDEX (runs_queued|runs_one_active|conversations_one_active|conversations_ended_with_session)$/;

function scansOf(plans: ReturnType<typeof plansOf>): string[] {
  return plans.flatMap(({ name, plan }) =>
    plan
      .filter((step) => /^SCAN (conversations|processes|runs|turns|run_events|answer_html)\b/.test(step))
      .filter((step) => !fewEntries.test(step))
      .map((step) => `${name}: ${step}`),
  );
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

  const plans = plansOf(database, reads);

  database.close();
  expect(plans.length).toBeGreaterThan(Object.keys(reads).length);
  expect(scansOf(plans)).toEqual([]);
});

test("nothing that a turn or a job writes goes through all of them or all processes either", async () => {
  await using at = openTestStore();
  await fill(at);
  const database = new Database(join(at.dataDir, "headway.db"), { strict: true });
  database.run("pragma busy_timeout = 2000");
  database.run("begin");

  const plans = plansOf(database, writes);

  database.run("rollback");
  database.close();
  expect(plans.length).toBeGreaterThanOrEqual(Object.keys(writes).length);
  expect(scansOf(plans)).toEqual([]);
});
