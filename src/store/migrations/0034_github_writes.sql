-- What we wrote on GitHub in the last hour: the limit for it outlives a process and holds for all control planes together.
create table miyabi.github_writes (
  -- The API that it went to.
  connection text not null,
  at timestamptz not null
);
create index github_writes_at on miyabi.github_writes (connection, at desc);

-- Locked while a write is granted.
create table miyabi.github_write_pauses (
  connection text primary key,
  -- GitHub refused a write and asked us to wait; null: it did not.
  until timestamptz,
  -- Refusals since the last write that went through.
  refusals int not null default 0
);

-- How a task's issue looks waits for room; its pull request does not wait behind it.
update miyabi.outbox set target = 'progress:' || target where kind = 'progress' and state = 'pending';

-- The oldest entry of a kind; kinds differ in how urgent they are.
create index outbox_due_of_kind on miyabi.outbox (kind, due_at, number) where state = 'pending';
drop index miyabi.outbox_due;
