-- Why: what the self-test of the containment saw is kept for the next start on the same boot; agents may have a file policy.

alter table agents add column file_policy text not null default 'open' check (file_policy in ('open', 'workspace'));

create table containment_tests (
  -- The boot, the rung, the user, our version and those of its tools: where one differs, the test is made anew.
  fingerprint text primary key,
  -- A list, as GET /api/containment shows it.
  tests text not null check (json_valid(tests)),
  tested_at integer not null
) strict;
