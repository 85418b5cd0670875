-- Where a repository is hosted; null: a local one. {kind: "github", owner, name, …}
alter table miyabi.repositories add column remote jsonb;

-- Effects outside of our database, written with the state that asks for them (docs/adr/0006).
create table miyabi.outbox (
  number bigint generated always as identity primary key,
  task_id text references miyabi.tasks (id) on delete cascade,
  kind text not null,
  -- What the effect acts on; effects on one target happen one after the other, in order.
  target text not null,
  payload jsonb not null default '{}',
  -- Written into the effect itself, so that it is recognised after a crash.
  marker text not null unique,
  state text not null default 'pending' check (state in ('pending', 'done', 'dead')),
  attempts int not null default 0,
  due_at timestamptz not null default now(),
  -- Who holds it until when; a late holder's result is refused.
  lease_token text,
  lease_expires_at timestamptz,
  result jsonb,
  error text,
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
create index outbox_pending on miyabi.outbox (target, number) where state = 'pending';
create index outbox_due on miyabi.outbox (due_at) where state = 'pending';
create index outbox_of_task on miyabi.outbox (task_id, number desc);
