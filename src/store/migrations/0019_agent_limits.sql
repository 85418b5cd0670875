-- Usage limits that agents ran into and whose end was stated: until then nobody is started with the profile.
create table miyabi.agent_limits (
  profile text primary key,
  until timestamptz not null,
  -- What the provider said.
  message text not null,
  noted_at timestamptz not null default now()
);
