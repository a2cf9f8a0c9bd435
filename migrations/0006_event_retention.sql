-- Why: events and raw logs of old runs may go, by the owner's wish, while the run and its turns stay.

-- When the events of a run were removed; null while they are there. They are gone for every reader at that moment;
-- their rows go in batches, until `events_leaving` is 0 again.
alter table runs add column events_removed_at integer;
alter table runs add column events_leaving integer not null default 0 check (events_leaving in (0, 1));
-- When its raw log was removed for its age or for room.
alter table runs add column log_removed_at integer;

create index runs_with_events on runs (ended_at) where ended_at is not null and events_removed_at is null;
create index runs_events_leaving on runs (key) where events_leaving = 1;

create trigger runs_lose_their_events_once before update of events_removed_at on runs
when old.events_removed_at is not null or old.ended_at is null or new.events_removed_at < old.ended_at
begin select raise(abort, 'events are removed once, after the end of their run'); end;

create trigger runs_lose_their_log_after_their_end before update of log_removed_at on runs
when old.ended_at is null
begin select raise(abort, 'a log is removed after the end of its run'); end;

drop trigger run_events_stay;

create trigger run_events_stay before delete on run_events
when exists (select 1 from kept_runs where id = old.run_id and events_removed_at is null)
begin select raise(abort, 'events go only with their run, or when all of them go'); end;
