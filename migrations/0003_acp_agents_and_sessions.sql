-- Why: other agents are carried by ACP, a CLI session has one conversation and a conversation one process, and what nobody needs goes.

------------------------------------------------------------------------------------------ ACP agents

-- Which of the configured ones carries the agent; it never changes, as its CLI never does.
alter table agents add column acp_agent text check ((cli = 'acp') = (acp_agent is not null));

create trigger agents_keep_their_cli before update of cli, acp_agent on agents
when new.cli <> old.cli or new.acp_agent is not old.acp_agent
begin select raise(abort, 'an agent keeps its CLI'); end;

------------------------------------------------------------------------------------------ one conversation per session

create index conversations_by_session on conversations (cli_session_id)
where cli_session_id <> '' and removed_at is null;

-- A conversation whose cli_session_id is '' holds no session. The same id means another session to another CLI.
create view session_holders as
select conversations.key, conversations.updated_at, conversations.cli_session_id,
  (select cli || ' ' || coalesce(acp_agent, '') from agents where key = conversations.agent_key) as carried_by
from conversations where conversations.cli_session_id <> '' and conversations.removed_at is null;

-- Where several conversations held one session, the newest goes on with it.
update conversations set cli_session_id = '', session_begun = 0, session_fingerprint = ''
where key in (
  select older.key from session_holders as older join session_holders as newer
    on newer.cli_session_id = older.cli_session_id and newer.carried_by = older.carried_by
    and (newer.updated_at, newer.key) > (older.updated_at, older.key));

create trigger sessions_have_one_conversation after update of cli_session_id on conversations
when new.cli_session_id <> old.cli_session_id and exists (
  select 1 from session_holders as other
  where other.cli_session_id = new.cli_session_id and other.key <> new.key
    and other.carried_by = (select carried_by from session_holders where key = new.key))
begin select raise(abort, 'another conversation holds this session'); end;

create trigger new_conversations_have_sessions_of_their_own after insert on conversations
when exists (
  select 1 from session_holders as other
  where other.cli_session_id = new.cli_session_id and other.key <> new.key
    and other.carried_by = (select carried_by from session_holders where key = new.key))
begin select raise(abort, 'another conversation holds this session'); end;

create trigger sessions_begin_with_an_id before update of session_begun on conversations
when new.session_begun = 1 and new.cli_session_id = ''
begin select raise(abort, 'a session that has begun has an id'); end;

-- Sessions of ended conversations are let go after a while.
create index conversations_ended_with_session on conversations (updated_at)
where status = 'ended' and cli_session_id <> '' and removed_at is null;

------------------------------------------------------------------------------------------ one process per conversation

create trigger processes_are_one_per_conversation before insert on processes
when exists (
  select 1 from processes
  where agent_key = new.agent_key and ended_at is null and conversation_id = new.conversation_id)
begin select raise(abort, 'another process of the conversation has no end'); end;

create index processes_of_conversation on processes (conversation_id);

-- Conversations that were deleted left their processes behind; one without an end goes when its end is told.
delete from processes
where ended_at is not null and not exists (select 1 from conversations where id = processes.conversation_id);

------------------------------------------------------------------------------------------ records of processes go

create index processes_ended on processes (ended_at) where ended_at is not null;
-- Without it each process that goes would be looked for in all runs.
create index runs_of_process on runs (process_id) where process_id is not null;

create trigger processes_stay_while_they_run before delete on processes when old.ended_at is null
begin select raise(abort, 'a process has an end before its record goes'); end;

-- As it was, but for process_id, which becomes null when the record of that process goes.
drop trigger runs_end_once;

create trigger runs_end_once before update of
  id, agent_key, conversation_id, user_turn_id, state, moved_at, epoch, fence, mode, warm, timeout_ms,
  metadata, prompt_holes, withdrawn_prompt, error_code, error_message, cli_version, cli_session_id, model, usage,
  cost_usd, tool_names, anomalies, exit_code, signal, peak_rss_bytes, cpu_ms, survivors, queued_at, started_at,
  first_output_at, ended_at, duration_ms, cancel_requested_at
on runs when old.state in ('succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')
begin select raise(abort, 'a terminal state is final'); end;

create trigger runs_keep_their_process before update of process_id on runs
when old.process_id is not null and new.process_id is not old.process_id
  and not (new.process_id is null and old.state in ('succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted'))
begin select raise(abort, 'a run keeps its process'); end;

create trigger ended_runs_get_no_process before update of process_id on runs
when new.process_id is not null
  and old.state in ('succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')
begin select raise(abort, 'a terminal state is final'); end;

------------------------------------------------------------------------------------------ what was deleted is gone

-- The words of deleted turns leave the index at once, and not when its parts are merged some day; those of before leave now.
insert into turns_search (turns_search, rank) values ('secure-delete', 1);
insert into turns_search (turns_search) values ('optimize');
