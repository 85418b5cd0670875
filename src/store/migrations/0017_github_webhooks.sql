-- What GitHub told us, stored before it gets its answer. A delivery only says where to look; the look itself is the poll's.
create table miyabi.github_deliveries (
  -- GitHub's own id; a delivery that is sent again has the same.
  id text primary key,
  event text not null,
  -- As it was signed; null once it was processed.
  body bytea,
  state text not null default 'pending' check (state in ('pending', 'done', 'dead')),
  attempts int not null default 0,
  due_at timestamptz not null default now(),
  lease_token text,
  lease_expires_at timestamptz,
  error text,
  received_at timestamptz not null default now(),
  finished_at timestamptz
);
create index github_deliveries_due on miyabi.github_deliveries (due_at) where state = 'pending';
create index github_deliveries_finished on miyabi.github_deliveries (finished_at) where state <> 'pending';

-- When we were told that something happened to it; later than the last look: look now.
alter table miyabi.github_pull_requests add column changed_at timestamptz;
