-- Why: pages show much at once. What they ask often is kept ready: rendered answers, failed conversations, last runs, tool calls.

------------------------------------------------------------------------------------------ rendered answers

-- A cache: any row may be deleted at any time. No foreign key, so that it never stands in the way of anything.
create table answer_html (
  -- The run that the answer is of, or the turn where there is no run.
  key text primary key,
  conversation_id text not null,
  renderer_version integer not null,
  html text not null
) strict;

create index answer_html_of_conversation on answer_html (conversation_id);
create index answer_html_by_version on answer_html (renderer_version);

-- HTML of a conversation that was removed meanwhile is silently not kept.
create trigger answer_html_belongs_to_a_kept_conversation before insert on answer_html
when not exists (select 1 from conversations where id = new.conversation_id and removed_at is null)
begin select raise(ignore); end;

------------------------------------------------------------------------------------------ what ended last

-- A message that was taken back while it waited is no run that anybody saw end.
create index runs_ended on runs (agent_key, ended_at, key) where ended_at is not null and withdrawn_prompt is null;

-- True when the newest run that wasn't taken back ended otherwise than well and wasn't cancelled.
alter table conversations add column last_run_failed integer not null default 0 check (last_run_failed in (0, 1));

update conversations set last_run_failed = coalesce((
  select state in ('failed', 'timed_out', 'interrupted') from runs
  where conversation_id = conversations.id and withdrawn_prompt is null order by key desc limit 1), 0);

create index conversations_failed on conversations (updated_at, key)
where last_run_failed = 1 and removed_at is null;

create trigger runs_begin_without_failure after insert on runs
begin
  update conversations set last_run_failed = 0 where id = new.conversation_id and last_run_failed = 1;
end;

create trigger runs_mark_failed_conversations after update of state on runs
when new.state <> old.state and new.state in ('succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')
begin
  update conversations set last_run_failed = coalesce((
    select state in ('failed', 'timed_out', 'interrupted') from runs
    where conversation_id = new.conversation_id and withdrawn_prompt is null order by key desc limit 1), 0)
  where id = new.conversation_id;
end;

------------------------------------------------------------------------------------------ tool calls

-- A body that SQLite can't read as JSON (nested deeper than 1,000) is kept all the same, only not found by its tool.
create index run_events_of_tools on run_events (run_id, iif(json_valid(body), body ->> '$.toolId', null), seq)
where type in ('tool.started', 'tool.finished');
