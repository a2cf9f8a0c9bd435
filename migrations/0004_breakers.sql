-- Why: circuit breakers and their history outlive the server, so that a restart asks no broken service forty times at once.

create table breakers (
  agent_key integer primary key references agents (key),
  state text not null check (state in ('closed', 'open', 'half_open')),
  -- Failures of the service in a row.
  failures integer not null check (failures >= 0),
  -- How often it has opened in a row: each pause is longer than the one before.
  openings integer not null check (openings >= 0),
  opened_at integer,
  retry_at integer,
  cause text check (json_valid(cause)),
  check ((state = 'open') = (retry_at is not null)),
  check ((state = 'closed') = (opened_at is null)),
  check ((state = 'closed') = (openings = 0)),
  check ((state = 'closed') = (cause is null))
) strict;

create table breaker_changes (
  key integer primary key,
  agent_key integer not null references agents (key),
  at integer not null,
  from_state text not null,
  to_state text not null,
  reason text not null,
  -- Not a foreign key: the history outlives the run.
  run_id text,
  code text,
  check (from_state <> to_state)
) strict;

create index breaker_changes_of_agent on breaker_changes (agent_key, key);

-- Asked at each look at the server's readiness.
create index agents_quarantined on agents (key) where quarantined_at is not null;
