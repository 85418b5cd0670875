-- Threads of people with models. An answer is stored as it comes: chunks while it streams, the whole text afterwards.

create table miyabi.chat_threads (
  number bigint generated always as identity unique,
  id text generated always as ('C' || number) stored primary key,
  -- Name of the person; nobody else sees the thread.
  owner text not null,
  title text not null default '',
  persona text,
  model text,
  -- Last message of the branch that is shown.
  leaf_id text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index chat_threads_of_owner on miyabi.chat_threads (owner, updated_at desc, number desc);

create table miyabi.chat_messages (
  number bigint generated always as identity unique,
  id text generated always as ('M' || number) stored primary key,
  thread_id text not null references miyabi.chat_threads (id) on delete cascade,
  parent_id text references miyabi.chat_messages (id) on delete cascade,
  role text not null check (role in ('user', 'assistant', 'note')),
  state text not null check (state in ('complete', 'streaming', 'stopped', 'withheld', 'failed')),
  -- Empty while it is streaming.
  content text not null default '',
  -- Of the chunks, in UTF-16 units.
  length int not null default 0,
  persona text,
  model text,
  note jsonb,
  reason jsonb,
  -- Of the ledger: tokens and cost are read there.
  call_ids uuid[] not null default '{}',
  -- The fence: only the newest attempt may write.
  attempt int not null default 0,
  -- Installation that writes the answer, and until when nobody else may take it over.
  holder text,
  lease_until timestamptz,
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
create index chat_messages_of_thread on miyabi.chat_messages (thread_id, number);
create index chat_messages_streaming on miyabi.chat_messages (number) where state = 'streaming';
create index chat_messages_children on miyabi.chat_messages (parent_id) where parent_id is not null;

create table miyabi.chat_chunks (
  message_id text not null references miyabi.chat_messages (id) on delete cascade,
  -- Place in the message, in UTF-16 units.
  start int not null,
  text text not null,
  primary key (message_id, start)
);

create table miyabi.chat_attachments (
  id uuid primary key default gen_random_uuid(),
  owner text not null,
  name text not null,
  media_type text not null,
  content bytea not null,
  size_bytes int not null,
  created_at timestamptz not null default now()
);
-- An edited message keeps the attachments of the one that it replaces.
create table miyabi.chat_message_attachments (
  message_id text not null references miyabi.chat_messages (id) on delete cascade,
  position int not null,
  attachment_id uuid not null references miyabi.chat_attachments (id),
  primary key (message_id, position)
);
create index chat_message_attachments_of on miyabi.chat_message_attachments (attachment_id);
