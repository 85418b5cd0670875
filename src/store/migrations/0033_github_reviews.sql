-- Threads of reviews that a task's agent got, and what became of them.
create table miyabi.github_review_threads (
  task_id text not null references miyabi.tasks (id) on delete cascade,
  -- GraphQL's id.
  thread_id text not null,
  -- How the agent calls it.
  number int not null,
  -- Comments of trusted people that the agent got.
  given int not null,
  -- given: its agent has it; answered: our answer is in the outbox, or written.
  state text not null check (state in ('given', 'answered')),
  given_at timestamptz not null default now(),
  primary key (task_id, thread_id),
  unique (task_id, number)
);

alter table miyabi.github_pull_requests
  -- The threads of reviews up to then were looked at.
  add column reviews_seen_at timestamptz,
  -- Comments in threads that were not used, by author: {login: count}.
  add column unused jsonb not null default '{}',
  -- Our own check run: {id, commit, hash}; hash of what it says.
  add column check_run jsonb;

alter table miyabi.github_repositories
  -- {at, message}: GitHub does not let our credential write checks; null: it does, or was not asked.
  add column checks_refused jsonb;
