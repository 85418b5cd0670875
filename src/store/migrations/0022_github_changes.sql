-- What changed on GitHub while a task was under way.
alter table miyabi.github_issues
  -- When the issue was seen last; one that nothing was heard of for long is asked for.
  add column looked_at timestamptz not null default now(),
  -- {hash, by}: title and text as they are now, where that is not what the task goes by; null: they agree.
  add column edit jsonb;

alter table miyabi.github_repositories
  -- GitHub's own id: a new repository under the old name is another one.
  add column github_id bigint,
  -- `owner/name` on GitHub; differs from the configured one after a rename.
  add column full_name text,
  add column archived boolean not null default false,
  add column checked_at timestamptz;
