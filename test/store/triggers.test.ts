import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { answered, openTestStore, queued, running, settings, starting, type TestStore } from "./fixture.ts";

/** A second connection that may write, as a bug in our own code could. */
function intruder(at: TestStore): Database {
  const database = new Database(join(at.dataDir, "headway.db"), { strict: true });
  database.run("pragma foreign_keys = on");
  database.run("pragma busy_timeout = 2000");
  return database;
}

interface Refusal {
  title: string;
  /** The run that the statement is about, as `:run`; its conversation is `:conversation`. */
  about: "queued" | "starting" | "running" | "succeeded";
  sql: string;
  message: string;
}

const refusals: Refusal[] = [
  {
    title: "a run that begins in another state",
    about: "queued",
    sql: `insert into runs select null, 'run_x', agent_key, conversation_id, user_turn_id, 'failed', moved_at, epoch, fence, process_id, mode, warm, timeout_ms, retry_of, metadata, prompt_holes, withdrawn_prompt, error_code, error_message, cli_version, cli_session_id, model, usage, cost_usd, tool_names, anomalies, exit_code, signal, peak_rss_bytes, cpu_ms, survivors, queued_at, started_at, first_output_at, queued_at, duration_ms, cancel_requested_at, null, 0, null from runs where id = :run`,
    message: "a run begins queued",
  },
  {
    title: "an edge from queued to running",
    about: "queued",
    sql: `update runs set state = 'running', process_id = (select id from processes) where id = :run`,
    message: "no such edge",
  },
  {
    title: "an edge from starting back to queued",
    about: "starting",
    sql: `update runs set state = 'queued' where id = :run`,
    message: "no such edge",
  },
  {
    title: "a start without a fresh fence",
    about: "queued",
    sql: `update runs set state = 'starting', started_at = queued_at where id = :run`,
    message: "a run starts under a fresh fence",
  },
  {
    title: "a fence that goes back",
    about: "running",
    sql: `update runs set fence = 0 where id = :run`,
    message: "a fence only grows",
  },
  {
    title: "an end without the last event",
    about: "running",
    sql: `update runs set state = 'failed', ended_at = started_at where id = :run`,
    message: "run.finished is written before the state",
  },
  {
    title: "a success without an answer",
    about: "running",
    sql: `update runs set state = 'succeeded', ended_at = started_at where id = :run`,
    message: "a run succeeds with a final answer",
  },
  {
    title: "leaving a terminal state",
    about: "succeeded",
    sql: `update runs set state = 'failed' where id = :run`,
    message: "a terminal state is final",
  },
  {
    title: "a result that changes after the end",
    about: "succeeded",
    sql: `update runs set cost_usd = 9 where id = :run`,
    message: "a terminal state is final",
  },
  {
    title: "a run that is deleted alone",
    about: "succeeded",
    sql: `delete from runs where id = :run`,
    message: "a run goes only with its conversation",
  },
  {
    title: "a run in a conversation of nobody's",
    about: "queued",
    sql: `update conversations set removed_at = 1, status = 'ended' where id = :conversation; insert into runs (id, agent_key, conversation_id, user_turn_id, state, moved_at, epoch, mode, metadata, prompt_holes, queued_at) values ('run_x', 1, :conversation, 't', 'queued', 1, 1, 'headless', '{}', '[]', 1)`,
    message: "a run belongs to a conversation",
  },
  {
    title: "an event under an old fence",
    about: "running",
    sql: `insert into run_events values (:run, 3, 0, 1, 'text', '{}')`,
    message: "not held under this fence",
  },
  {
    title: "an event under a fence to come",
    about: "running",
    sql: `insert into run_events values (:run, 3, 2, 1, 'text', '{}')`,
    message: "not held under this fence",
  },
  {
    title: "an event of an earlier server",
    about: "running",
    sql: `insert into server_epochs values (99, 'b', 1, 1, 1, null); insert into run_events values (:run, 3, 1, 1, 'text', '{}')`,
    message: "not held under this fence",
  },
  {
    title: "text from a run that waits",
    about: "queued",
    sql: `insert into run_events values (:run, 2, 0, 1, 'text', '{}')`,
    message: "not held under this fence",
  },
  {
    title: "an event after the end",
    about: "succeeded",
    sql: `insert into run_events values (:run, 4, 1, 1, 'text', '{}')`,
    message: "run.finished is the last event",
  },
  {
    title: "an event after run.finished, before the state",
    about: "running",
    sql: `insert into run_events values (:run, 3, 1, 1, 'run.finished', '{}'); insert into run_events values (:run, 4, 1, 1, 'text', '{}')`,
    message: "run.finished is the last event",
  },
  {
    title: "an event that leaves a gap",
    about: "running",
    sql: `insert into run_events values (:run, 9, 1, 1, 'text', '{}')`,
    message: "seq is dense",
  },
  {
    title: "an event twice",
    about: "running",
    sql: `insert into run_events values (:run, 1, 1, 1, 'text', '{}')`,
    message: "seq is dense",
  },
  {
    title: "an event that is changed",
    about: "running",
    sql: `update run_events set body = '{}' where run_id = :run`,
    message: "events never change",
  },
  {
    title: "an event that is deleted",
    about: "running",
    sql: `delete from run_events where run_id = :run`,
    message: "events go only with their run, or when all of them go",
  },
  {
    title: "events that are removed while their run goes on",
    about: "running",
    sql: `update runs set events_removed_at = 1 where id = :run`,
    message: "after the end of their run",
  },
  {
    title: "a log that is removed while its run goes on",
    about: "running",
    sql: `update runs set log_removed_at = 1 where id = :run`,
    message: "after the end of its run",
  },
  {
    title: "a transition that isn't linked",
    about: "running",
    sql: `insert into run_transitions values (:run, 4, 'queued', 'running', 1, null)`,
    message: "a transition links",
  },
  {
    title: "a transition after the end",
    about: "succeeded",
    sql: `insert into run_transitions values (:run, 5, 'succeeded', 'failed', 1, null)`,
    message: "a transition links",
  },
  {
    title: "a transition that is changed",
    about: "running",
    sql: `update run_transitions set at = 0 where run_id = :run`,
    message: "transitions never change",
  },
  {
    title: "a turn after its run's end",
    about: "succeeded",
    sql: `insert into turns values (null, 't', :conversation, :run, 3, 'assistant', 'x', 1, 'headless', 1)`,
    message: "a turn is written while its run lives",
  },
  {
    title: "a second answer",
    about: "running",
    sql: `insert into turns values (null, 't', :conversation, :run, 2, 'assistant', 'x', 1, 'headless', 1); insert into turns values (null, 'u', :conversation, :run, 3, 'assistant', 'x', 1, 'headless', 1)`,
    message: "UNIQUE constraint failed: turns.run_id, turns.role",
  },
  {
    title: "a turn that leaves a gap",
    about: "running",
    sql: `insert into turns values (null, 't', :conversation, :run, 7, 'assistant', 'x', 1, 'headless', 1)`,
    message: "seq is dense",
  },
  {
    title: "a place for a turn whose run waits",
    about: "queued",
    sql: `update turns set seq = (select next_seq from conversations where id = :conversation) where run_id = :run`,
    message: "a waiting turn gets the next seq",
  },
  {
    title: "a turn that moves",
    about: "running",
    sql: `update turns set seq = 2 where run_id = :run`,
    message: "a waiting turn gets the next seq",
  },
  {
    title: "a turn whose text is changed",
    about: "running",
    sql: `update turns set content = 'x' where run_id = :run`,
    message: "turns never change",
  },
  {
    title: "a turn that is deleted",
    about: "running",
    sql: `delete from turns where run_id = :run`,
    message: "a turn goes only with its conversation",
  },
  {
    title: "a cancellation that nobody asked for",
    about: "running",
    sql: `insert into run_events values (:run, 3, 1, 1, 'run.finished', '{}'); update runs set state = 'cancelled', ended_at = started_at where id = :run`,
    message: "CHECK constraint failed",
  },
  {
    title: "a second active conversation",
    about: "running",
    sql: `insert into conversations (id, agent_key, status, title, cli_session_id, created_at, updated_at) values ('c', (select agent_key from runs where id = :run), 'active', '', '', 1, 1)`,
    message: "UNIQUE constraint failed: conversations.agent_key",
  },
  {
    title: "an agent that changes its CLI",
    about: "queued",
    sql: `update agents set cli = 'claude'`,
    message: "an agent keeps its CLI",
  },
  {
    title: "an agent that becomes one of ACP",
    about: "queued",
    sql: `update agents set cli = 'acp', acp_agent = 'opencode'`,
    message: "an agent keeps its CLI",
  },
  {
    title: "an agent of ACP that names none",
    about: "queued",
    sql: `insert into agents (id, cli, comm_mode, cwd, permission_mode, metadata, created_at, updated_at) values ('x', 'acp', 'headless', '/', 'edit', '{}', 1, 1)`,
    message: "CHECK constraint failed",
  },
  {
    title: "a second conversation that begins with the same session",
    about: "succeeded",
    sql: `insert into conversations (id, agent_key, status, title, cli_session_id, created_at, updated_at) select 'c', agent_key, 'ended', '', cli_session_id, 1, 1 from conversations where id = :conversation`,
    message: "another conversation holds this session",
  },
  {
    title: "a session that another conversation holds",
    about: "succeeded",
    sql: `insert into conversations (id, agent_key, status, title, cli_session_id, created_at, updated_at) select 'c', agent_key, 'ended', '', 's', 1, 1 from conversations where id = :conversation; update conversations set cli_session_id = 's' where id = :conversation`,
    message: "another conversation holds this session",
  },
  {
    title: "a session that begins without an id",
    about: "running",
    sql: `update conversations set cli_session_id = '', session_begun = 1 where id = :conversation`,
    message: "a session that has begun has an id",
  },
  {
    title: "a second process of a conversation",
    about: "running",
    sql: `insert into processes select 'p', agent_key, conversation_id, epoch, pid, pid_start, boot_id, marker, containment, started_at, null, null, null, null from processes where conversation_id = :conversation`,
    message: "another process of the conversation has no end",
  },
  {
    title: "that the record of a living process goes",
    about: "running",
    sql: `update runs set process_id = null where id = :run; delete from processes where conversation_id = :conversation`,
    message: "a run keeps its process",
  },
  {
    title: "that the record of a process goes that has no end",
    about: "succeeded",
    sql: `update runs set process_id = null where id = :run; delete from processes where conversation_id = :conversation`,
    message: "a process has an end before its record goes",
  },
  {
    title: "another process for a run that has ended",
    about: "succeeded",
    sql: `update runs set process_id = null where id = :run; update runs set process_id = (select id from processes) where id = :run`,
    message: "a terminal state is final",
  },
  {
    title: "a text where a number belongs",
    about: "queued",
    sql: `update agents set created_at = 'soon'`,
    message: "cannot store TEXT value in INTEGER column",
  },
  {
    title: "a run of an agent that doesn't exist",
    about: "running",
    sql: `update runs set agent_key = 99 where id = :run`,
    message: "FOREIGN KEY constraint failed",
  },
];

async function runIn(
  at: TestStore,
  state: Refusal["about"],
): Promise<{ runId: string; conversationId: string }> {
  if (state === "queued") {
    const run = await queued(at.store);
    return { runId: run.id, conversationId: run.conversationId };
  }
  if (state === "succeeded") {
    const run = await answered(at.store);
    return { runId: run.id, conversationId: run.conversationId };
  }
  return state === "starting" ? starting(at.store) : running(at.store);
}

/** Values are put into the text: several statements at once take no parameters. */
function filled(sql: string, { runId, conversationId }: { runId: string; conversationId: string }): string {
  return sql.replaceAll(":run", `'${runId}'`).replaceAll(":conversation", `'${conversationId}'`);
}

test.each(refusals)("the database refuses $title", async ({ about, sql, message }) => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const run = await runIn(at, about);
  const database = intruder(at);

  database.run("begin");
  const attempt = () => database.run(filled(sql, run));

  expect(attempt).toThrow(message);
  database.run("rollback");
  database.close();
  expect(at.violations()).toEqual([]);
});

test("the database refuses a second active run of an agent", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  await running(at.store);
  const waiting = await queued(at.store);
  const database = intruder(at);

  const attempt = () =>
    database.run(
      `update runs set state = 'starting', fence = 1, started_at = queued_at where id = '${waiting.id}'`,
    );

  expect(attempt).toThrow("UNIQUE constraint failed: runs.agent_key");
  database.close();
});

test("the database refuses what an earlier server still wants to write", async () => {
  await using at = openTestStore();
  await at.store.createAgent(settings());
  const claimed = await running(at.store);
  const waiting = await queued(at.store);
  const database = intruder(at);
  database.run("insert into server_epochs values (99, 'b', 1, 1, 1, null)");

  const appended = await at.store
    .append(claimed.runId, 1, [{ type: "thinking", text: "x" }], 1)
    .catch(String);
  const claimedLate = await at.store
    .requestCancel(claimed.runId, 1)
    .then(() => at.store.claim(waiting.id, 1))
    .catch(String);

  expect(appended).toContain("not held under this fence");
  expect(claimedLate).toMatch(/another epoch|newest epoch/);
  database.close();
});
