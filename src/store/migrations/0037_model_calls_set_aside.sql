-- Calls whose row the ledger's table refused: one of them must neither hold up the others nor be forgotten.
create table miyabi.model_calls_set_aside (
  id uuid primary key,
  -- The whole row as JSON; text, because what was refused may be what `jsonb` refuses too.
  call text not null,
  reason text not null,
  -- Whether its budgets were charged with it.
  charged boolean not null,
  recorded_at timestamptz not null default now()
);
