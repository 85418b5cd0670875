-- Mailboxes and questions. A mailbox is a recipient: a role, a slot, or `person`.

create table miyabi.mailboxes (
  recipient text primary key,
  -- Highest number given out; the row's lock is what makes numbers gapless and in order of commit.
  last_seq bigint not null default 0
);

create table miyabi.messages (
  number bigint generated always as identity unique,
  id text generated always as ('M' || number) stored primary key,
  recipient text not null references miyabi.mailboxes (recipient),
  seq bigint not null,
  sender text not null,
  task_id text references miyabi.tasks (id) on delete cascade,
  body text not null,
  state text not null default 'queued' check (state in ('queued', 'delivered', 'acknowledged', 'dead')),
  -- Deliveries so far.
  attempts int not null default 0,
  -- Session that has it now, and until when it may acknowledge before the message is delivered again.
  leased_by text,
  leased_until timestamptz,
  -- Not delivered before this time; null: at once.
  retry_at timestamptz,
  dead_reason text,
  dedupe_key text unique,
  created_at timestamptz not null default now(),
  delivered_at timestamptz,
  acknowledged_at timestamptz,
  unique (recipient, seq)
);
create index messages_open on miyabi.messages (recipient, seq) where state in ('queued', 'delivered');
create index messages_leased on miyabi.messages (leased_until) where state = 'delivered';
create index messages_of_task on miyabi.messages (task_id, number desc) where task_id is not null;

create table miyabi.questions (
  number bigint generated always as identity unique,
  id text generated always as ('Q' || number) stored primary key,
  kind text not null check (kind in ('question', 'permission', 'approval')),
  task_id text not null references miyabi.tasks (id) on delete cascade,
  run_id text references miyabi.runs (id) on delete cascade,
  asker text not null,
  text text not null,
  options text[] not null default '{}',
  dedupe_key text unique,
  asked_at timestamptz not null default now(),
  answer text,
  answered_by text,
  answered_at timestamptz,
  -- Set where nobody needs the answer any more, e.g. because the task was cancelled.
  withdrawn_at timestamptz,
  withdrawn_reason text
);
create index questions_open on miyabi.questions (number desc) where answer is null and withdrawn_at is null;
create index questions_of_task on miyabi.questions (task_id, number desc);
