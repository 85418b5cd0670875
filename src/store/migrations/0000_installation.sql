create schema if not exists miyabi;

-- One value each of the whole installation, e.g. the emergency stop's state.
create table miyabi.installation_setting (
  name text primary key,
  value jsonb not null,
  updated_at timestamptz not null default now()
);
