-- Why: the first schema. What must never happen is refused here, by the database, not by the code's good manners.

create table server_epochs (
  epoch integer primary key,
  boot_id text not null,
  pid integer not null,
  started_at integer not null,
  -- Written again by the probe of a store that failed: proof that the disk takes writes.
  seen_at integer not null,
  clean_stop_at integer
) strict;

create table agents (
  key integer primary key,
  id text not null,
  cli text not null,
  comm_mode text not null check (comm_mode in ('headless', 'tmux', 'shadow')),
  cwd text not null,
  model text,
  system_prompt text,
  permission_mode text not null check (permission_mode in ('read', 'edit', 'full')),
  mcp_config_path text,
  timeout_ms integer,
  memory_limit_mb integer,
  metadata text not null check (json_valid(metadata)),
  quarantined_at integer,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer
) strict;

-- A name is unique among the living: a deleted agent's conversations stay readable under its key.
create unique index agents_living on agents (id) where deleted_at is null;
create index agents_by_id on agents (id);

create table conversations (
  key integer primary key,
  id text not null unique,
  agent_key integer not null references agents (key),
  status text not null check (status in ('active', 'ended')),
  title text not null,
  next_seq integer not null default 1,
  cli_session_id text not null,
  session_begun integer not null default 0 check (session_begun in (0, 1)),
  session_fingerprint text not null default '',
  created_at integer not null,
  updated_at integer not null,
  -- Set first when a conversation is removed: it disappears at once, its rows go in batches.
  removed_at integer,
  check (removed_at is null or status = 'ended')
) strict;

create unique index conversations_one_active on conversations (agent_key) where status = 'active';
create index conversations_newest on conversations (updated_at, key) where removed_at is null;
create index conversations_of_agent on conversations (agent_key, updated_at, key) where removed_at is null;
create index conversations_removed on conversations (id) where removed_at is not null;

create table processes (
  id text primary key,
  agent_key integer not null references agents (key),
  -- Not a foreign key: the record of a process outlives its conversation.
  conversation_id text not null,
  epoch integer not null references server_epochs (epoch),
  pid integer not null,
  pid_start text not null,
  boot_id text not null,
  marker text not null,
  containment text not null,
  started_at integer not null,
  ended_at integer,
  end_reason text,
  exit_code integer,
  signal text,
  check ((ended_at is null) = (end_reason is null))
) strict;

create index processes_alive on processes (agent_key) where ended_at is null;

create table runs (
  -- The order of admission: queues are first in, first out by it, never by time.
  key integer primary key,
  id text not null unique,
  agent_key integer not null references agents (key),
  conversation_id text not null references conversations (id),
  user_turn_id text not null,
  state text not null check (state in (
    'queued', 'starting', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')),
  -- When the state was reached; the transition's row takes it from here.
  moved_at integer not null,
  epoch integer not null references server_epochs (epoch),
  fence integer not null default 0,
  process_id text references processes (id),
  mode text not null check (mode in ('headless', 'tmux', 'shadow')),
  warm integer not null default 0 check (warm in (0, 1)),
  timeout_ms integer,
  retry_of text references runs (id) on delete set null,
  metadata text not null check (json_valid(metadata)),
  prompt_holes text not null check (json_valid(prompt_holes)),
  -- The prompt of a run that was cancelled while it waited: its turn has left the conversation.
  withdrawn_prompt text,
  error_code text,
  error_message text,
  cli_version text,
  cli_session_id text,
  model text,
  usage text check (json_valid(usage)),
  cost_usd real,
  tool_names text not null default '[]' check (json_valid(tool_names)),
  anomalies text not null default '[]' check (json_valid(anomalies)),
  exit_code integer,
  signal text,
  peak_rss_bytes integer,
  cpu_ms real,
  survivors integer,
  queued_at integer not null,
  started_at integer,
  first_output_at integer,
  ended_at integer,
  duration_ms real,
  cancel_requested_at integer,
  check ((state in ('succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')) = (ended_at is not null)),
  check (state not in ('starting', 'running', 'succeeded') or (started_at is not null and fence > 0)),
  check (state <> 'running' or process_id is not null),
  check (state <> 'cancelled' or cancel_requested_at is not null),
  check (started_at >= queued_at),
  check (ended_at >= coalesce(started_at, queued_at)),
  check ((error_code is null) = (error_message is null))
) strict;

-- The lock of an agent is this index: there is none in memory that could leak.
create unique index runs_one_active on runs (agent_key) where state in ('starting', 'running');
create index runs_queued on runs (agent_key, key) where state = 'queued';
create index runs_of_agent on runs (agent_key, key);
create index runs_of_conversation on runs (conversation_id, key);
create index runs_retries on runs (retry_of) where retry_of is not null;

create table turns (
  key integer primary key,
  id text not null unique,
  conversation_id text not null references conversations (id),
  run_id text references runs (id),
  -- Null while the message waits.
  seq integer,
  role text not null check (role in ('user', 'assistant', 'system')),
  content text not null,
  final integer not null check (final in (0, 1)),
  source text not null check (source in ('headless', 'tmux', 'import')),
  created_at integer not null,
  check (seq is not null or (role = 'user' and run_id is not null))
) strict;

create unique index turns_of_conversation on turns (conversation_id, seq);
-- One user turn and at most one assistant turn per run.
create unique index turns_of_run on turns (run_id, role) where run_id is not null;

create table run_events (
  run_id text not null references runs (id),
  seq integer not null,
  fence integer not null,
  at integer not null,
  type text not null,
  -- The event as JSON without seq, runId and at; encoded once.
  body text not null,
  primary key (run_id, seq)
) strict, without rowid;

create table run_transitions (
  run_id text not null references runs (id),
  n integer not null,
  from_state text,
  to_state text not null,
  at integer not null,
  cause text,
  primary key (run_id, n)
) strict, without rowid;

create table idempotency (
  agent_key integer not null references agents (key),
  idempotency_key text not null,
  body_hash text not null,
  run_id text not null references runs (id),
  created_at integer not null,
  primary key (agent_key, idempotency_key)
) strict, without rowid;

create unique index idempotency_of_run on idempotency (run_id);

create table logins (
  secret_hash text primary key,
  token_hash text not null,
  created_at integer not null,
  used_at integer not null,
  idle_ms_max integer not null
) strict, without rowid;

-- Full text of every turn that has its place in a conversation.
create virtual table turns_search using fts5 (
  content, content = 'turns', content_rowid = 'key', tokenize = 'unicode61 remove_diacritics 2');

-- Merging the index less often keeps the commits of small turns short.
insert into turns_search (turns_search, rank) values ('automerge', 16);

-- Conversations whose removal has begun are gone for every reader and every rule.
create view kept_runs as
select runs.* from runs join conversations on conversations.id = runs.conversation_id
where conversations.removed_at is null;

------------------------------------------------------------------------------------------ runs

create trigger runs_begin_queued before insert on runs
when new.state <> 'queued' or new.fence <> 0
begin select raise(abort, 'a run begins queued, with fence 0'); end;

create trigger runs_belong_to_their_agents_conversation before insert on runs
when not exists (
  select 1 from conversations
  where id = new.conversation_id and agent_key = new.agent_key and removed_at is null)
begin select raise(abort, 'a run belongs to a conversation of its agent'); end;

create trigger runs_move_along_edges before update of state on runs
when new.state <> old.state and not (
  (old.state = 'queued' and new.state in ('starting', 'failed', 'cancelled', 'timed_out', 'interrupted'))
  or (old.state = 'starting' and new.state in ('running', 'failed', 'cancelled', 'timed_out', 'interrupted'))
  or (old.state = 'running' and new.state in ('succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')))
begin select raise(abort, 'no such edge between states'); end;

create trigger runs_start_under_a_fresh_fence before update of state on runs
when new.state = 'starting' and old.state = 'queued' and new.fence <> old.fence + 1
begin select raise(abort, 'a run starts under a fresh fence'); end;

create trigger runs_are_moved_by_the_newest_server before update of state on runs
when new.state <> old.state and (old.state <> 'queued' or new.state = 'starting')
  and new.epoch <> (select max(epoch) from server_epochs)
begin select raise(abort, 'the run is held by another epoch'); end;

create trigger runs_are_adopted_by_the_newest_server before update of fence, epoch on runs
when new.fence < old.fence
  or ((new.fence <> old.fence or new.epoch <> old.epoch) and new.epoch <> (select max(epoch) from server_epochs))
begin select raise(abort, 'a fence only grows, in the newest epoch'); end;

create trigger runs_end_with_their_last_event before update of state on runs
when new.state <> old.state and new.state in ('succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')
  and (select type from run_events where run_id = new.id order by seq desc limit 1) is not 'run.finished'
begin select raise(abort, 'run.finished is written before the state'); end;

create trigger runs_succeed_with_an_answer before update of state on runs
when new.state <> old.state and new.state = 'succeeded'
  and not exists (select 1 from turns where run_id = new.id and role = 'assistant' and final = 1)
begin select raise(abort, 'a run succeeds with a final answer'); end;

-- Every column but retry_of, which becomes null when that run is removed.
create trigger runs_end_once before update of
  id, agent_key, conversation_id, user_turn_id, state, moved_at, epoch, fence, process_id, mode, warm, timeout_ms,
  metadata, prompt_holes, withdrawn_prompt, error_code, error_message, cli_version, cli_session_id, model, usage,
  cost_usd, tool_names, anomalies, exit_code, signal, peak_rss_bytes, cpu_ms, survivors, queued_at, started_at,
  first_output_at, ended_at, duration_ms, cancel_requested_at
on runs when old.state in ('succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')
begin select raise(abort, 'a terminal state is final'); end;

create trigger runs_stay before delete on runs
when exists (select 1 from kept_runs where id = old.id)
begin select raise(abort, 'a run goes only with its conversation'); end;

------------------------------------------------------------------------------------------ run_transitions

create trigger runs_record_their_beginning after insert on runs
begin
  insert into run_transitions (run_id, n, from_state, to_state, at)
  values (new.id, 1, null, new.state, new.queued_at);
end;

create trigger runs_record_each_move after update of state on runs when new.state <> old.state
begin
  insert into run_transitions (run_id, n, from_state, to_state, at, cause)
  select new.id, max(n) + 1, old.state, new.state, new.moved_at, new.error_code
  from run_transitions where run_id = new.id;
end;

create trigger run_transitions_are_linked before insert on run_transitions
when new.n <> 1 + coalesce((select max(n) from run_transitions where run_id = new.run_id), 0)
  or new.from_state is not (select to_state from run_transitions where run_id = new.run_id order by n desc limit 1)
  or new.to_state is not (select state from runs where id = new.run_id)
begin select raise(abort, 'a transition links to the one before'); end;

create trigger run_transitions_never_change before update on run_transitions
begin select raise(abort, 'transitions never change'); end;

create trigger run_transitions_stay before delete on run_transitions
when exists (select 1 from kept_runs where id = old.run_id)
begin select raise(abort, 'transitions go only with their run'); end;

------------------------------------------------------------------------------------------ run_events

-- A waiting run has no fence yet: it says that it is queued, and that it ended when it is cancelled.
create trigger run_events_carry_the_fence before insert on run_events
when not exists (
  select 1 from runs where id = new.run_id and fence = new.fence and (
    (state in ('starting', 'running') and epoch = (select max(epoch) from server_epochs))
    or (state = 'queued' and new.type in ('run.queued', 'run.finished'))))
begin select raise(abort, 'the run is not held under this fence'); end;

create trigger run_events_are_dense before insert on run_events
when new.seq <> 1 + coalesce((select max(seq) from run_events where run_id = new.run_id), 0)
begin select raise(abort, 'seq is dense'); end;

create trigger run_events_end_with_run_finished before insert on run_events
when (select type from run_events where run_id = new.run_id order by seq desc limit 1) = 'run.finished'
begin select raise(abort, 'run.finished is the last event'); end;

create trigger run_events_never_change before update on run_events
begin select raise(abort, 'events never change'); end;

create trigger run_events_stay before delete on run_events
when exists (select 1 from kept_runs where id = old.run_id)
begin select raise(abort, 'events go only with their run'); end;

------------------------------------------------------------------------------------------ turns

create trigger turns_belong_to_a_living_run before insert on turns
when new.run_id is not null and not exists (
  select 1 from runs where id = new.run_id and conversation_id = new.conversation_id and (
    (new.role = 'user' and state = 'queued') or (new.role <> 'user' and state in ('starting', 'running'))))
begin select raise(abort, 'a turn is written while its run lives'); end;

create trigger turns_are_dense before insert on turns
when new.seq is not (select next_seq from conversations where id = new.conversation_id) and new.seq is not null
begin select raise(abort, 'seq is dense'); end;

create trigger turns_get_their_place_once before update of seq on turns
when old.seq is not null
  or new.seq is not (select next_seq from conversations where id = new.conversation_id)
  or not exists (select 1 from runs where id = new.run_id and state = 'starting')
begin select raise(abort, 'a waiting turn gets the next seq when its run starts'); end;

create trigger turns_never_change before update of
  key, id, conversation_id, run_id, role, content, final, source, created_at on turns
begin select raise(abort, 'turns never change'); end;

create trigger turns_stay before delete on turns
when (old.seq is not null or not exists (select 1 from runs where id = old.run_id and state = 'queued'))
  and exists (select 1 from conversations where id = old.conversation_id and removed_at is null)
begin select raise(abort, 'a turn goes only with its conversation'); end;

create trigger turns_arrive after insert on turns when new.seq is not null
begin
  update conversations set next_seq = next_seq + 1, updated_at = max(updated_at, new.created_at)
  where id = new.conversation_id;
  insert into turns_search (rowid, content) values (new.key, new.content);
end;

create trigger turns_take_their_place after update of seq on turns
begin
  update conversations set next_seq = next_seq + 1 where id = new.conversation_id;
  insert into turns_search (rowid, content) values (new.key, new.content);
end;

create trigger turns_leave after delete on turns when old.seq is not null
begin
  insert into turns_search (turns_search, rowid, content) values ('delete', old.key, old.content);
end;
