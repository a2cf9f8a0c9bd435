import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/domain/clock.ts";
import { checkIntegrity } from "../../src/integrity/check.ts";
import { invariants } from "../../src/integrity/invariants.ts";
import {
  answered,
  begun,
  openTestStore,
  queued,
  running,
  settings,
  starting,
  type TestStore,
} from "../store/fixture.ts";

/** Runs of every kind: answered twice, failed, cancelled while queued, waiting, running and starting. */
async function fillStore(at: TestStore): Promise<void> {
  const { store } = at;
  for (const name of ["ada", "bob", "cy"]) await store.createAgent(settings({ id: name }));
  await answered(store, { idempotency: { key: "k1", bodyHash: "h1" } });
  await answered(store, { idempotency: { key: "k2", bodyHash: "h2" } });
  const error = { code: "cli_error", message: "no" } as const;
  await answered(store, {}, { state: "failed", error, content: "half", contentFinal: false });
  const { id: conversationId } = store.findActiveConversation("ada")!;
  await store.keepAnswerHtml({ key: "run_1", conversationId, rendererVersion: 1, html: "<p>Hello</p>" });
  await store.endActiveConversation("ada", 1);
  const withdrawn = await queued(store);
  await store.requestCancel(withdrawn.id, 1);
  await running(store);
  await queued(store);
  await starting(store, { agentId: "bob" });
  await store.moveBreaker("cy", signInNeeded, { failuresMax: 5, pauseMs: 1_000, pauseMaxMs: 1_000 });
}

const signInNeeded = {
  kind: "run_ended",
  runId: "run_x",
  atMs: 1,
  outcome: { kind: "failed", code: "auth_required", message: "", advice: "", resetAtMs: null },
} as const;

/** How each rule is broken, with the database's own guards taken away. */
const mutations: Record<string, string> = {
  I1: `delete from turns where role = 'user' and seq = 1`,
  I2: `drop index turns_of_run; insert into turns select null, 'dup', conversation_id, run_id, 99, role, content, final, source, created_at from turns where role = 'assistant' limit 1`,
  I3: `delete from turns where role = 'assistant' and seq = 2`,
  I4: `update turns set seq = 77 where role = 'assistant' and seq = 2`,
  I5: `update conversations set next_seq = next_seq + 1`,
  I6: `update runs set ended_at = null where state = 'succeeded'`,
  I7: `update runs set process_id = null where state = 'running'`,
  I8: `drop index runs_one_active; update runs set state = 'running' where state = 'queued'`,
  I9: `insert into server_epochs values (99, 'b', 1, 1, 1, null)`,
  I10: `update runs set ended_at = 0 where state = 'succeeded'`,
  I11: `delete from run_events where seq = 2`,
  I12: `update run_events set fence = 9 where seq = 2`,
  I13: `delete from run_transitions where to_state = 'running'`,
  I14: `insert into run_transitions select run_id, n + 1, to_state, 'failed', at, null from run_transitions where to_state = 'succeeded'`,
  I15: `update runs set cancel_requested_at = null where state = 'cancelled'`,
  I16: `update idempotency set body_hash = '' where idempotency_key = 'k1'`,
  I17: `update run_events set type = 'notice' where type = 'run.finished'`,
  I18: `insert into run_events select run_id, seq + 1, fence, at, 'text', '{}' from run_events where type = 'run.finished'`,
  I19: `update turns set final = 0 where role = 'assistant'`,
  I20: `update runs set agent_key = 3 where state = 'queued'`,
  I21: `update turns set seq = 50 where role = 'user' and seq = 1`,
  I22: `insert into server_epochs values (99, 'b', 1, 1, 1, null)`,
  I23: `update turns set content = 'a' || char(0) || 'b' where seq = 1`,
  I24: `update turns set run_id = 'ghost' where seq = 2`,
  I26: `drop index conversations_one_active; update conversations set status = 'active'`,
  I27: `update turns set seq = 40 where seq is null`,
  I28: `update runs set fence = 1 where state = 'queued'`,
  I29: `update processes set ended_at = 1`,
  I30: `update processes set agent_key = 3`,
  I31: `insert into server_epochs values (99, 'b', 1, 1, 1, null)`,
  I32: `insert into turns_search (turns_search, rowid, content) select 'delete', key, content from turns where seq = 1 limit 1`,
  I33: `insert into answer_html values ('run_x', 'conv_gone', 1, 'x')`,
  I34: `update conversations set last_run_failed = 0`,
  I35: `update conversations set cli_session_id = 'one'`,
  I36: `update processes set ended_at = null, end_reason = null`,
  I37: `update conversations set session_begun = 1, cli_session_id = ''`,
  I38: `update agents set acp_agent = 'opencode'`,
  I39: `update processes set conversation_id = 'conv_gone'`,
  I40: `update breakers set openings = 0`,
  I41: `update agents set deleted_at = 1 where id = 'cy'`,
  I42: `update breaker_changes set to_state = 'half_open'`,
  I43: `update breakers set agent_key = 1`,
  I44: `insert into breaker_changes (agent_key, at, from_state, to_state, reason)
        with recursive many (n) as (select 1 union all select n + 1 from many where n < 100)
        select 3, 1, 'open', 'open', 'reset' from many`,
  I45: `update runs set events_removed_at = ended_at where state = 'succeeded'`,
  I46: `update runs set log_removed_at = 1 where state = 'queued'`,
};

/** A connection on which nothing is guarded: no triggers, checks or foreign keys. */
function unguarded(at: TestStore): Database {
  const database = new Database(join(at.dataDir, "headway.db"), { strict: true });
  database.run("pragma busy_timeout = 2000");
  database.run("pragma foreign_keys = off");
  database.run("pragma ignore_check_constraints = on");
  const triggers = database.query("select name from sqlite_schema where type = 'trigger'").all() as {
    name: string;
  }[];
  for (const { name } of triggers) database.run(`drop trigger ${name}`);
  return database;
}

test("every invariant holds on a database with runs of every kind", async () => {
  await using at = openTestStore();
  await fillStore(at);
  const reader = at.store.openReader();

  const report = checkIntegrity(reader, { recovered: true, clock: systemClock });

  reader.close();
  expect(report.status).toBe("ok");
  expect(report.checks.map((check) => check.id)).toEqual(invariants.map((invariant) => invariant.id));
  expect(report.checks.every((check) => check.violations.length === 0)).toBe(true);
});

test("every invariant but the one about pages has a mutation here that breaks it", () => {
  const broken = Object.keys(mutations);

  expect(broken).toEqual(invariants.map((invariant) => invariant.id).filter((name) => name !== "I25"));
});

test.each(Object.entries(mutations))("%s is told when it is broken", async (name, mutation) => {
  await using at = openTestStore();
  await fillStore(at);
  const database = unguarded(at);

  database.run(mutation);
  const report = checkIntegrity(database, { recovered: true, clock: systemClock });

  database.close();
  expect(report.status).toBe("violated");
  const broken = report.checks.filter((check) => check.violations.length > 0).map((check) => check.id);
  expect(broken).toContain(name);
});

test("a spoilt page is told, and the other questions are still asked", async () => {
  await using at = openTestStore();
  await fillStore(at);
  await at.store.close();
  const path = join(at.dataDir, "headway.db");
  const bytes = readFileSync(path);
  const row = bytes.indexOf("run.finished");
  bytes.fill(0xaa, row - (row % 4_096), row - (row % 4_096) + 64);
  writeFileSync(path, bytes);
  const database = new Database(path, { readonly: true });

  const report = checkIntegrity(database, { recovered: true, clock: systemClock });

  database.close();
  const broken = report.checks.filter((check) => check.violations.length > 0).map((check) => check.id);
  expect(broken).toContain("I25");
  expect(report.checks).toHaveLength(invariants.length);
});

test("a file that lost its end is told", async () => {
  await using at = openTestStore();
  await fillStore(at);
  await at.store.close();
  const path = join(at.dataDir, "headway.db");
  truncateSync(path, statSync(path).size - 8_192);
  const database = new Database(path, { readonly: true });

  const report = checkIntegrity(database, { recovered: true, clock: systemClock });

  database.close();
  expect(report.status).toBe("violated");
});

test("before recovery is over, what an earlier server left is no violation", async () => {
  await using at = openTestStore();
  await fillStore(at);
  await at.reopen();
  const reader = at.store.openReader();

  const before = checkIntegrity(reader, { recovered: false, clock: systemClock });
  const after = checkIntegrity(reader, { recovered: true, clock: systemClock });

  reader.close();
  expect(before.status).toBe("ok");
  expect(after.checks.filter((check) => check.violations.length > 0).map((check) => check.id)).toEqual([
    "I9",
    "I31",
  ]);
});

test("at most twenty violations of a rule are told", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await starting(at.store);
  await begun(at.store, claimed);
  for (let index = 0; index < 30; index += 1) await queued(at.store);
  const database = unguarded(at);

  database.run(`update runs set fence = 1 where state = 'queued'`);
  const report = checkIntegrity(database, { recovered: true, clock: systemClock });

  database.close();
  expect(report.checks.find((check) => check.id === "I28")!.violations).toHaveLength(20);
});
