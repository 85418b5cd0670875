-- Data directories whose control planes share this database; with the embedded one there is none.
create table miyabi.machines (
  name text primary key,
  -- Kept in the data directory; two directories on one computer are two machines to us.
  identity text not null unique,
  computer text not null,
  directory text not null,
  -- Stands behind the names of its agents; empty for the first machine.
  suffix text not null unique,
  -- Its control plane lives.
  seen_at timestamptz not null default now(),
  added_at timestamptz not null default now()
);

-- Machine that a local repository lies on; null: a hosted one, or there is only one machine.
alter table miyabi.repositories add column machine text;
alter table miyabi.repositories drop constraint repositories_path_target_branch_key;
create unique index repositories_place on miyabi.repositories (path, target_branch, coalesce(machine, ''));

-- Machine that a queued run is left to, by another one that took its job; null: whoever takes the job.
alter table miyabi.runs add column reserved_for text;
create index runs_reserved on miyabi.runs (reserved_for, queue) where state = 'queued' and reserved_for is not null;

-- Times that the session began anew on another machine; its directory there has a name of its own.
alter table miyabi.sessions add column moves int not null default 0;

-- The newest work of each open task, for machines whose cache lacks it; only with several machines.
create table miyabi.handovers (
  task_id text primary key references miyabi.tasks (id) on delete cascade,
  commit text not null,
  base text not null,
  bundle bytea not null,
  stored_at timestamptz not null default now()
);

-- A person has decided that it needs no handling: it is listed no more.
alter table miyabi.outbox add column discarded_at timestamptz;
alter table miyabi.github_deliveries add column discarded_at timestamptz;
alter table miyabi.messages add column discarded_at timestamptz;
create index outbox_dead on miyabi.outbox (number) where state = 'dead' and discarded_at is null;
create index github_deliveries_dead on miyabi.github_deliveries (received_at) where state = 'dead' and discarded_at is null;
create index messages_dead on miyabi.messages (number) where state = 'dead' and discarded_at is null;
