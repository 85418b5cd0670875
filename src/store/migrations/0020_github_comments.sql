-- Comments that were looked at: commands with what became of them, and what is not used.
create table miyabi.github_comments (
  repository text not null references miyabi.github_repositories (name) on delete cascade,
  comment_id bigint not null,
  -- Of the issue or pull request that it stands on.
  number int not null,
  task_id text references miyabi.tasks (id) on delete cascade,
  author text not null,
  -- Name of the command; null: it has none.
  command text,
  outcome text not null check (outcome in ('not-used', 'untrusted', 'done', 'refused', 'unknown')),
  written_at timestamptz not null,
  handled_at timestamptz not null default now(),
  -- When the agent's answer to a question was passed on; null: not yet, or no question.
  answered_at timestamptz,
  primary key (repository, comment_id)
);
create index github_comments_of_task on miyabi.github_comments (task_id);
create index github_comments_of_issue on miyabi.github_comments (repository, number);
create index github_questions_open on miyabi.github_comments (task_id) where command = 'ask' and outcome = 'done' and answered_at is null;

alter table miyabi.github_repositories
  -- Comments changed since then have not been looked at; null: none was ever looked for.
  add column comments_since timestamptz,
  -- Something changed, and its comments are still to be asked for.
  add column comments_behind boolean not null default false;

-- Of title and text as the task got them; null: taken before that was kept.
alter table miyabi.github_issues add column text_hash text;

-- Commit that a person approved by a command, beside GitHub's own reviews.
alter table miyabi.github_pull_requests add column approved_commit text;

-- What the model calls of this task may cost together, USD × 10⁻⁶; null: what the settings say.
alter table miyabi.tasks add column budget_micros bigint;
