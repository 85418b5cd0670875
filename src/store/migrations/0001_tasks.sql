-- Tasks, their steps and runs, and the history. Every fact is a row, every change an event.

create table miyabi.repositories (
  id text primary key,
  name text not null,
  -- Canonical path of the local repository; the unit that a merge queue serialises on, together with the branch.
  path text not null,
  target_branch text not null,
  added_at timestamptz not null default now(),
  unique (path, target_branch)
);

create table miyabi.tasks (
  number bigint generated always as identity unique,
  id text generated always as ('T' || number) stored primary key,
  repository_id text not null references miyabi.repositories (id),
  source text not null,
  title text not null,
  body text not null,
  labels text[] not null default '{}',
  class text not null check (class in ('P0', 'P1', 'P2')),
  due_at timestamptz,
  own_deadline_at timestamptz not null,
  -- The earliest of its own deadline and those of the tasks that wait for it; the only order of the queue.
  deadline_at timestamptz not null,
  deadline_from text,
  state text not null default 'queued',
  waits_for text,
  reason jsonb,
  -- When a wait for time ends; null for every other wait.
  wake_at timestamptz,
  workflow jsonb not null,
  profile text,
  current_step text,
  -- Counts every way back to an earlier step, from 1.
  round int not null default 1,
  -- Attempts of all runs so far; the newest is the fence.
  attempt int not null default 0,
  branch text,
  base_commit text,
  head_commit text,
  head_tree text,
  merge_commit text,
  report text,
  taken_over boolean not null default false,
  idempotency_key text unique,
  request_hash text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);
create index tasks_by_state on miyabi.tasks (state, number desc);
create index tasks_by_class on miyabi.tasks (class, number desc);
-- Lists of all states merge one branch per state, so the state comes first in every order.
create index tasks_by_deadline on miyabi.tasks (state, deadline_at, number);
create index tasks_by_update on miyabi.tasks (state, updated_at desc, number desc);
create index tasks_labels on miyabi.tasks using gin (labels) where labels <> '{}';
create index tasks_finished on miyabi.tasks (finished_at) where finished_at is not null;
create index tasks_repository on miyabi.tasks (repository_id, number desc);

create table miyabi.task_dependencies (
  task_id text not null references miyabi.tasks (id) on delete cascade,
  depends_on text not null references miyabi.tasks (id) on delete cascade,
  primary key (task_id, depends_on),
  check (task_id <> depends_on)
);
create index task_dependents on miyabi.task_dependencies (depends_on);

create table miyabi.steps (
  task_id text not null references miyabi.tasks (id) on delete cascade,
  position int not null,
  name text not null,
  kind text not null,
  role text,
  state text not null default 'pending',
  reason jsonb,
  -- Times that this step sent the task back, failed, or lost its run since the task last came here anew.
  returns int not null default 0,
  failures int not null default 0,
  losses int not null default 0,
  -- Durable intent of a step that we carry out ourselves, e.g. the commit that the merge queue is about to publish.
  data jsonb not null default '{}',
  started_at timestamptz,
  finished_at timestamptz,
  primary key (task_id, position)
);

create table miyabi.runs (
  number bigint generated always as identity unique,
  id text generated always as ('R' || number) stored primary key,
  task_id text not null references miyabi.tasks (id) on delete cascade,
  step_position int not null,
  step text not null,
  kind text not null,
  role text,
  -- Queue that a slot takes the run from: a role, or `check`.
  queue text not null,
  attempt int not null,
  round int not null,
  state text not null default 'queued',
  -- Why the run exists and what its prompt must say: {reason, details}.
  cause jsonb not null,
  -- Commit that a check or review looks at; null: the session's own head.
  commit text,
  job_id uuid not null,
  slot text,
  session_id text,
  profile text,
  token_hash text unique,
  lease_expires_at timestamptz,
  -- {initPid, startTicks} of the sandbox, so that a replacement can end it first.
  sandbox jsonb,
  mcp_seen boolean not null default false,
  verdict text,
  notes text,
  error jsonb,
  log text,
  cached boolean not null default false,
  -- Under which a passed check is kept for the next run on the same tree.
  check_key text,
  -- What the host uploaded and we validated; `finished` may only name this.
  handover_commit text,
  handover_tree text,
  result_commit text,
  tokens_in bigint,
  tokens_out bigint,
  queued_at timestamptz not null default now(),
  leased_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  unique (task_id, attempt)
);
create unique index runs_one_active on miyabi.runs (task_id) where state in ('queued', 'leased', 'running');
create index runs_leased on miyabi.runs (lease_expires_at) where state in ('leased', 'running');
create index runs_recent on miyabi.runs (slot, leased_at desc);

create table miyabi.events (
  id bigint generated always as identity primary key,
  -- The writing transaction. Readers go by (xid, id) and stop before the oldest transaction still open, so that an
  -- event that commits late is never skipped.
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null default now(),
  type text not null,
  task_id text,
  run_id text,
  slot text,
  data jsonb not null default '{}'
);
create index events_order on miyabi.events (xid, id);
create index events_of_task on miyabi.events (task_id, id desc) where task_id is not null;

-- What happened inside runs. The primary key makes a host's repeated report harmless.
create table miyabi.transcripts (
  run_id text not null references miyabi.runs (id) on delete cascade,
  seq int not null,
  at timestamptz not null,
  body jsonb not null,
  primary key (run_id, seq)
);

create index transcripts_at on miyabi.transcripts (at);

-- Results of checks, by what was checked: the tree and the commands (and the environment they ran in).
create table miyabi.check_results (
  key text primary key,
  passed boolean not null,
  output text not null,
  duration_ms int not null,
  run_id text not null,
  at timestamptz not null default now()
);
