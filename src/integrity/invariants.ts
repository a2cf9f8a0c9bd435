/** What must be true of the data at every moment, each as one statement whose rows are the violations. */
export interface Invariant {
  id: string;
  description: string;
  /** Rows have one column `violation` that names what breaks the rule. */
  sql: string;
  /** Holds only when recovery has dealt with the runs of earlier servers. */
  afterRecovery?: true;
}

const terminal = `('succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')`;
const active = `('starting', 'running')`;
/** Turns and events of conversations whose removal is under way are gone for every rule. */
const keptTurns = `(
  select turns.* from turns join conversations on conversations.id = turns.conversation_id
  where conversations.removed_at is null)`;
const keptEvents = `(select run_events.* from run_events join kept_runs on kept_runs.id = run_events.run_id)`;

export const invariants: readonly Invariant[] = [
  {
    id: "I1",
    description: "each run has exactly one user turn, but one that was cancelled while it waited has none",
    sql: `select runs.id as violation from kept_runs as runs
          left join turns on turns.run_id = runs.id and turns.role = 'user'
          group by runs.id
          having count(turns.key) <> (runs.withdrawn_prompt is null)
            or (runs.withdrawn_prompt is null and max(turns.id) <> runs.user_turn_id)
            or (runs.withdrawn_prompt is not null and (runs.state <> 'cancelled' or runs.fence <> 0))`,
  },
  {
    id: "I2",
    description: "a run has at most one assistant turn",
    sql: `select run_id as violation from turns where role = 'assistant' and run_id is not null
          group by run_id having count(*) > 1`,
  },
  {
    id: "I3",
    description: "a run that succeeded has a final assistant turn, and its process lives on or exited with 0",
    sql: `select id as violation from kept_runs
          where state = 'succeeded' and (coalesce(exit_code, 0) <> 0 or not exists (
            select 1 from turns where run_id = kept_runs.id and role = 'assistant' and final = 1))`,
  },
  {
    id: "I4",
    description: "turns of a conversation are numbered 1 to n without a gap; waiting ones have no number",
    sql: `select conversation_id as violation from ${keptTurns} where seq is not null
          group by conversation_id having min(seq) <> 1 or max(seq) <> count(*) or count(distinct seq) <> count(*)`,
  },
  {
    id: "I5",
    description: "a conversation's next number follows its last turn",
    sql: `select id as violation from conversations
          where removed_at is null and next_seq <> 1 + coalesce(
            (select max(seq) from turns where conversation_id = conversations.id), 0)`,
  },
  {
    id: "I6",
    description: "a run has an end time exactly when its state is terminal",
    sql: `select id as violation from runs where (state in ${terminal}) <> (ended_at is not null)`,
  },
  {
    id: "I7",
    description: "a running run, and every run with a process, names one that is fully identified",
    sql: `select runs.id as violation from runs left join processes on processes.id = runs.process_id
          where (runs.state = 'running' or runs.process_id is not null) and (
            processes.id is null or runs.started_at is null or processes.marker = '' or processes.pid <= 0)`,
  },
  {
    id: "I8",
    description: "an agent has at most one active run",
    sql: `select agent_key as violation from runs where state in ${active} group by agent_key having count(*) > 1`,
  },
  {
    id: "I9",
    description: "no active run is held by an earlier server",
    sql: `select id as violation from runs
          where state in ${active} and epoch < (select max(epoch) from server_epochs)`,
    afterRecovery: true,
  },
  {
    id: "I10",
    description: "a run is queued, then started, then ended",
    sql: `select id as violation from runs
          where started_at < queued_at or ended_at < coalesce(started_at, queued_at)`,
  },
  {
    id: "I11",
    description: "events of a run are numbered 1 to n without a gap, from run.queued on",
    sql: `select runs.id as violation from kept_runs as runs left join run_events on run_events.run_id = runs.id
          where runs.events_removed_at is null group by runs.id
          having min(seq) is not 1 or max(seq) <> count(*)
            or (select type from run_events where run_id = runs.id and seq = 1) <> 'run.queued'`,
  },
  {
    id: "I12",
    description: "an event's fence is at most its run's, and never goes back",
    sql: `select run_id as violation from (
            select run_events.run_id, run_events.fence, runs.fence as run_fence,
              lag(run_events.fence) over (partition by run_events.run_id order by run_events.seq) as fence_before
            from run_events join runs on runs.id = run_events.run_id)
          where fence > run_fence or fence < fence_before
          union
          select run_id from run_events where type = 'run.queued' and fence <> 0`,
  },
  {
    id: "I13",
    description: "a run's transitions are linked, follow the edges, and end at its state",
    sql: `select runs.id as violation from kept_runs as runs where runs.state is not (
            select to_state from run_transitions where run_id = runs.id order by n desc limit 1)
          union
          select run_id from (
            select run_id, n, from_state,
              lag(to_state) over (partition by run_id order by n) as to_state_before,
              row_number() over (partition by run_id order by n) as expected_n
            from run_transitions where run_id in (select id from kept_runs))
          where from_state is not to_state_before or n <> expected_n
          union
          select run_id from run_transitions where from_state is null and to_state <> 'queued'
            or from_state = 'queued' and to_state not in ('starting', 'failed', 'cancelled', 'timed_out', 'interrupted')
            or from_state = 'starting' and to_state not in ('running', 'failed', 'cancelled', 'timed_out', 'interrupted')
            or from_state = 'running' and to_state not in ${terminal}`,
  },
  {
    id: "I14",
    description: "no transition leaves a terminal state",
    sql: `select run_id as violation from run_transitions where from_state in ${terminal}`,
  },
  {
    id: "I15",
    description: "a cancelled run's cancellation was asked for",
    sql: `select id as violation from runs where state = 'cancelled' and cancel_requested_at is null`,
  },
  {
    id: "I16",
    description: "an idempotency key stands for one run of its agent, with the hash of its body",
    sql: `select idempotency.run_id as violation from idempotency
          left join runs on runs.id = idempotency.run_id
          where runs.id is null or runs.agent_key <> idempotency.agent_key or idempotency.body_hash = ''
          union
          select run_id from idempotency group by run_id having count(*) > 1`,
  },
  {
    id: "I17",
    description: "a run has run.finished exactly when its state is terminal, once, and with that state",
    sql: `select runs.id as violation from kept_runs as runs
          left join run_events on run_events.run_id = runs.id and run_events.type = 'run.finished'
          where runs.events_removed_at is null group by runs.id
          having count(run_events.seq) <> (runs.state in ${terminal})
            or max(json_extract(run_events.body, '$.state')) <> runs.state`,
  },
  {
    id: "I18",
    description: "run.finished is the last event",
    sql: `select finished.run_id as violation from ${keptEvents} as finished
          where finished.type = 'run.finished' and exists (
            select 1 from run_events where run_id = finished.run_id and seq > finished.seq)`,
  },
  {
    id: "I19",
    description: "an answer that isn't final belongs to a run that did not succeed",
    sql: `select turns.id as violation from turns join runs on runs.id = turns.run_id
          where turns.final = 0 and runs.state = 'succeeded'`,
  },
  {
    id: "I20",
    description: "a turn is in its run's conversation, and a run in a conversation of its agent",
    sql: `select turns.id as violation from turns join runs on runs.id = turns.run_id
          where turns.conversation_id <> runs.conversation_id
          union
          select runs.id from runs join conversations on conversations.id = runs.conversation_id
          where conversations.agent_key <> runs.agent_key`,
  },
  {
    id: "I21",
    description: "a run's question stands before its answer",
    sql: `select question.run_id as violation from turns as question
          join turns as answer on answer.run_id = question.run_id and answer.role = 'assistant'
          where question.role = 'user' and (question.seq is null or question.seq > answer.seq)`,
  },
  {
    id: "I22",
    description: "an earlier server that didn't stop cleanly holds no active run",
    sql: `select epoch as violation from server_epochs
          where clean_stop_at is null and epoch < (select max(epoch) from server_epochs) and exists (
            select 1 from runs where runs.epoch = server_epochs.epoch and runs.state in ${active})`,
    afterRecovery: true,
  },
  {
    id: "I23",
    description: "a turn's text has no NUL and at most 32 MiB",
    sql: `select id as violation from turns where instr(content, char(0)) > 0 or octet_length(content) > 33554432`,
  },
  {
    id: "I24",
    description: "every reference leads to a row",
    sql: `select "table" || ' ' || coalesce(rowid, '') as violation from pragma_foreign_key_check`,
  },
  {
    id: "I25",
    description: "the pages and indexes of the database are sound",
    sql: `select integrity_check as violation from pragma_integrity_check where integrity_check <> 'ok'`,
  },
  {
    id: "I26",
    description: "an agent has at most one active conversation, and a deleted agent none",
    sql: `select agent_key as violation from conversations where status = 'active'
          group by agent_key having count(*) > 1
          union
          select agents.key from agents join conversations on conversations.agent_key = agents.key
          where agents.deleted_at is not null and conversations.status = 'active'`,
  },
  {
    id: "I27",
    description: "a turn waits exactly while its run is queued",
    sql: `select turns.id as violation from turns join runs on runs.id = turns.run_id
          where turns.role = 'user' and (turns.seq is null) <> (runs.state = 'queued')`,
  },
  {
    id: "I28",
    description: "a queued run has no fence, one that started has",
    sql: `select id as violation from runs
          where (state = 'queued' and (fence <> 0 or started_at is not null))
            or (state in ('starting', 'running', 'succeeded') and fence = 0)
            or (fence > 0) <> (started_at is not null)`,
  },
  {
    id: "I29",
    description: "a process has an end with a reason or none at all, and not before its start",
    sql: `select id as violation from processes
          where (ended_at is null) <> (end_reason is null) or ended_at < started_at`,
  },
  {
    id: "I30",
    description: "a run's process was started for the run's agent",
    sql: `select runs.id as violation from runs join processes on processes.id = runs.process_id
          where processes.agent_key <> runs.agent_key`,
  },
  {
    id: "I31",
    description: "no earlier server's process is without an end",
    sql: `select processes.id as violation from processes
          join agents on agents.key = processes.agent_key
          where processes.ended_at is null and processes.epoch < (select max(epoch) from server_epochs)
            and agents.quarantined_at is null and agents.deleted_at is null`,
    afterRecovery: true,
  },
  {
    id: "I32",
    description: "the full-text index holds exactly the turns that have their place",
    sql: `select 'turn ' || key || ' is not indexed' as violation from turns
          where seq is not null and key not in (select id from turns_search_docsize)
          union all
          select 'index has ' || id || ' without a turn' from turns_search_docsize
          where id not in (select key from turns where seq is not null)`,
  },
  {
    id: "I33",
    description: "rendered answers belong to conversations that are there",
    sql: `select key as violation from answer_html
          where conversation_id not in (select id from conversations)`,
  },
  {
    id: "I34",
    description: "a conversation is marked as failed exactly when its last run that wasn't taken back failed",
    sql: `select id as violation from conversations
          where removed_at is null and last_run_failed <> coalesce((
            select state in ('failed', 'timed_out', 'interrupted') from runs
            where conversation_id = conversations.id and withdrawn_prompt is null
            order by key desc limit 1), 0)`,
  },
  {
    id: "I35",
    description: "a CLI session is held by one conversation",
    sql: `select group_concat(key) as violation from session_holders
          group by carried_by, cli_session_id having count(*) > 1`,
  },
  {
    id: "I36",
    description: "a conversation has at most one process without an end",
    sql: `select conversation_id as violation from processes where ended_at is null
          group by agent_key, conversation_id having count(*) > 1`,
    afterRecovery: true,
  },
  {
    id: "I37",
    description: "a session that has begun has an id",
    sql: `select id as violation from conversations where session_begun = 1 and cli_session_id = ''`,
  },
  {
    id: "I38",
    description: "an agent names an ACP agent exactly when one carries it",
    sql: `select id as violation from agents where (cli = 'acp') <> (acp_agent is not null)`,
  },
  {
    id: "I39",
    description:
      "records of processes are kept for conversations that are there, or until the process is dead",
    sql: `select id as violation from processes
          where ended_at is not null and conversation_id not in (select id from conversations)`,
  },
  {
    id: "I40",
    description:
      "a breaker has a time to come again exactly while it is open, and a cause unless it is closed",
    sql: `select agent_key as violation from breakers
          where (state = 'open') <> (retry_at is not null) or (state = 'closed') <> (opened_at is null)
            or (state = 'closed') <> (openings = 0) or (state = 'closed') <> (cause is null)
            or (state = 'closed' and failures = 0)`,
  },
  {
    id: "I41",
    description: "a deleted agent has no breaker and no history of one",
    sql: `select key as violation from agents where deleted_at is not null and (
            key in (select agent_key from breakers) or key in (select agent_key from breaker_changes))`,
  },
  {
    id: "I42",
    description: "changes of a breaker are linked, and end at its state",
    sql: `select agent_key as violation from (
            select agent_key, from_state,
              lag(to_state) over (partition by agent_key order by key) as to_state_before
            from breaker_changes)
          where to_state_before is not null and from_state <> to_state_before
          union
          select agents.key from agents left join breakers on breakers.agent_key = agents.key
          where agents.deleted_at is null and coalesce(breakers.state, 'closed') <> coalesce((
            select to_state from breaker_changes where agent_key = agents.key order by key desc limit 1), 'closed')`,
  },
  {
    id: "I43",
    description: "no run is in progress while its agent's breaker is open",
    sql: `select runs.id as violation from runs join breakers on breakers.agent_key = runs.agent_key
          where runs.state in ${active} and breakers.state = 'open'`,
  },
  {
    id: "I44",
    description: "at most a hundred changes of a breaker are kept",
    sql: `select agent_key as violation from breaker_changes group by agent_key having count(*) > 100`,
  },
  {
    id: "I45",
    description: "events were removed of runs that had ended, and all of them, or the rest is on its way out",
    sql: `select id as violation from runs
          where (events_leaving = 1 and events_removed_at is null)
            or events_removed_at < ended_at or (events_removed_at is not null and ended_at is null)
          union
          select id from runs where events_removed_at is not null and events_leaving = 0
            and exists (select 1 from run_events where run_id = runs.id)`,
  },
  {
    id: "I46",
    description: "a raw log was removed after the end of its run",
    sql: `select id as violation from runs where log_removed_at is not null and ended_at is null`,
  },
];
