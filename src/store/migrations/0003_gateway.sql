-- The ledger: one row per model call, the truth of cost.

create table miyabi.model_calls (
  -- Made by the gateway before the call, so that writing a row twice changes nothing.
  id uuid primary key,
  run_id text references miyabi.runs (id) on delete cascade,
  task_id text references miyabi.tasks (id) on delete cascade,
  provider text not null,
  endpoint text not null,
  -- As the provider named it in its answer, else as the caller asked for it; null where neither said.
  model text,
  -- What the caller got; null where it got no status line.
  status int,
  -- All input, cached included; null: the provider did not say.
  tokens_in bigint,
  tokens_out bigint,
  tokens_cache_read bigint,
  tokens_cache_write bigint,
  tokens_reasoning bigint,
  -- False where the call ended before the provider named its usage: tokens and cost are lower bounds or null.
  usage_complete boolean not null,
  -- {provider, model, prices} that the cost was computed with; null where no price is known.
  price jsonb,
  -- USD × 10⁻⁶; null: unknown.
  cost_micros bigint,
  first_byte_ms int,
  total_ms int not null,
  outcome text not null check (outcome in ('ok', 'rejected', 'failed', 'cut', 'aborted')),
  error text,
  started_at timestamptz not null,
  recorded_at timestamptz not null default now()
);
create index model_calls_of_run on miyabi.model_calls (run_id) where run_id is not null;
create index model_calls_of_task on miyabi.model_calls (task_id) where task_id is not null;
create index model_calls_started on miyabi.model_calls (started_at);
