-- What the gateway keeps of the content of calls.

-- Requests and answers, redacted; only where `gateway.prompts.store` says so.
create table miyabi.gateway_prompts (
  -- Of the ledger's row, which is written apart from it.
  call_id uuid primary key,
  -- JSON, shortened where `is_cut`.
  request text not null,
  -- JSON; null: no answer that could be read.
  answer text,
  -- As they were sent.
  request_bytes int not null,
  answer_bytes int,
  is_cut boolean not null,
  -- Of this row.
  size_bytes int not null,
  created_at timestamptz not null default now()
);
create index gateway_prompts_age on miyabi.gateway_prompts (created_at);

-- Summaries of turns that trimming left out, so that the same ones are not paid for again.
create table miyabi.gateway_summaries (
  -- SHA-256 of whose call it was, the model, its limit and what was summed up, hex.
  hash text primary key,
  summary text not null,
  used_at timestamptz not null default now()
);
create index gateway_summaries_age on miyabi.gateway_summaries (used_at);

alter table miyabi.model_calls
  -- How much of the meaning of the request is left after trimming, 0 to 1; null: not measured.
  add column retention real;
