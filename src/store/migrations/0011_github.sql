-- One row per repository of the `github` section; where polling stands.
create table miyabi.github_repositories (
  -- `owner/name` as configured, lower case.
  name text primary key,
  repository_id text references miyabi.repositories (id),
  -- Issues changed since then have not been looked at.
  issues_since timestamptz,
  issues_etag text,
  polled_at timestamptz,
  error jsonb
);

create table miyabi.github_issues (
  repository text not null references miyabi.github_repositories (name) on delete cascade,
  number int not null,
  task_id text references miyabi.tasks (id) on delete set null,
  -- What became of it at intake: {outcome, …}; shown by `explain` and in the progress comment.
  intake jsonb not null,
  -- The one comment that shows the progress; null before it was written.
  comment_id bigint,
  -- What was written last: {label, comment}; equal content is not written again.
  written jsonb not null default '{}',
  updated_at timestamptz not null default now(),
  primary key (repository, number)
);
create unique index github_issue_of_task on miyabi.github_issues (task_id);

create table miyabi.github_pull_requests (
  task_id text primary key references miyabi.tasks (id) on delete cascade,
  repository text not null,
  number int not null,
  url text not null,
  branch text not null,
  -- Where we left the branch; a push never overwrites another commit.
  pushed_commit text not null,
  pushed_at timestamptz not null default now(),
  -- Of the last look, to ask for changes only.
  etag text,
  -- Reviews up to then were handed to the agent or were none.
  feedback_until timestamptz not null default now(),
  looked_at timestamptz,
  unique (repository, number)
);
