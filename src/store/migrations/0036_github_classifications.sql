-- Issues without labels whose labels a model chooses, where `github.classify` is set. One row and one answer per issue.
create table miyabi.github_classifications (
  repository text not null references miyabi.github_repositories (name) on delete cascade,
  number int not null,
  -- pending: to be asked; chosen: its labels are set on the issue; suggested: they are only shown; none: no label fits, or
  -- nothing was asked; failed.
  state text not null default 'pending' check (state in ('pending', 'chosen', 'suggested', 'none', 'failed')),
  -- Who opened the issue; null: GitHub does not say.
  author text,
  attempts int not null default 0,
  -- While somebody asks, and as a pause after a failure.
  not_before timestamptz not null default now(),
  -- Of title and text that the answer is about.
  text_hash text,
  labels text[] not null default '{}',
  model text,
  -- Of the last call, as in the ledger.
  call_id uuid,
  error text,
  noticed_at timestamptz not null default now(),
  primary key (repository, number)
);
create index github_classifications_pending on miyabi.github_classifications (not_before) where state = 'pending';
-- Counted for each issue that is to start.
create index tasks_of_github on miyabi.tasks (created_at) where source = 'github';
