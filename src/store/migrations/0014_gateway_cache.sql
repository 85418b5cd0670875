-- Answers of models to exactly the same requests.

create table miyabi.gateway_cache (
  -- SHA-256 of who may share it, endpoint and canonical request, hex.
  hash text primary key,
  -- Whose calls may get it, e.g. `key:K3`, `team:backend`, `runs`.
  scope text not null,
  key_id text,
  -- As it was asked for.
  model text,
  tags text[] not null default '{}',
  content_type text not null,
  body bytea not null,
  size_bytes int not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index gateway_cache_expiry on miyabi.gateway_cache (expires_at);
create index gateway_cache_age on miyabi.gateway_cache (created_at);
create index gateway_cache_tags on miyabi.gateway_cache using gin (tags);
