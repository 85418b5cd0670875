-- Who may call the API from a browser, and the first answers of repeated requests.

-- One-time login links. Only hashes are stored: who reads the database cannot sign in with it.
create table miyabi.login_codes (
  code_hash text primary key,
  name text not null,
  permissions text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index login_codes_expiry on miyabi.login_codes (expires_at);

create table miyabi.browser_sessions (
  token_hash text primary key,
  name text not null,
  permissions text[] not null,
  created_at timestamptz not null default now(),
  -- Written at most once an hour.
  used_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index browser_sessions_expiry on miyabi.browser_sessions (expires_at);

-- First answers of requests that carried an Idempotency-Key, for a day.
create table miyabi.first_answers (
  -- The caller's name, the route and the key, so that callers cannot read one another's answers.
  key text primary key,
  request_hash text not null,
  answer jsonb not null,
  created_at timestamptz not null default now()
);
create index first_answers_age on miyabi.first_answers (created_at);
