-- Virtual keys, and what the ledger says about who called.

create sequence miyabi.gateway_key_number;
create table miyabi.gateway_keys (
  id text primary key default 'K' || nextval('miyabi.gateway_key_number'),
  name text not null,
  kind text not null check (kind in ('person', 'tool', 'team')),
  -- Whose calls count together; null: only their own.
  team text,
  -- Calls are booked on this task; null: on none.
  task_id text references miyabi.tasks (id) on delete set null,
  -- SHA-256 of the key, hex: who reads the database cannot call with it.
  key_hash text not null unique,
  -- First characters of the key, to tell keys apart.
  key_start text not null,
  -- Globs; null: every model.
  models text[],
  requests_per_minute int check (requests_per_minute > 0),
  tokens_per_minute int check (tokens_per_minute > 0),
  -- USD × 10⁻⁶; null: no limit.
  budget_day_micros bigint check (budget_day_micros >= 0),
  budget_month_micros bigint check (budget_month_micros >= 0),
  budget_task_micros bigint check (budget_task_micros >= 0),
  cache boolean not null default false,
  created_at timestamptz not null default now(),
  created_by text not null,
  expires_at timestamptz,
  revoked_at timestamptz
);

-- Keys of providers, encrypted for the installation's age identity.
create table miyabi.gateway_provider_keys (
  provider text primary key,
  sealed bytea not null,
  created_at timestamptz not null default now(),
  created_by text not null
);

alter table miyabi.model_calls
  add column key_id text,
  -- For people, e.g. `run R12`; it stays when the key is gone.
  add column caller text,
  add column team text,
  -- Model as the caller named it; `model` is what answered.
  add column asked_model text,
  -- Tries at providers; 0: answered from the cache.
  add column attempts int not null default 1,
  add column cache text check (cache in ('hit', 'miss', 'joined'));
create index model_calls_of_key on miyabi.model_calls (key_id, started_at) where key_id is not null;
