-- Slots of the team (one pane and one agent host each) and the sessions that agents keep per task and role.

create table miyabi.slots (
  slot text primary key,
  -- The host process that holds the slot now; with its start time, because pids are reused.
  host_pid int,
  host_start_ticks text,
  machine text,
  -- A person asked the slot to take no more work.
  draining boolean not null default false,
  -- Starts of the host in a row that did not last; the back-off of the watchdog.
  quick_failures int not null default 0,
  started_at timestamptz,
  connected_at timestamptz
);

create table miyabi.sessions (
  -- `<task>-<role>`; also the name of its directory.
  id text primary key,
  task_id text not null references miyabi.tasks (id) on delete cascade,
  role text not null,
  profile text not null,
  machine text not null,
  -- The agent's own id of the session; null until it told one, or after it could not be resumed.
  agent_session_id text,
  created_at timestamptz not null default now(),
  -- Set when the directory was deleted.
  collected_at timestamptz
);
create index sessions_of_task on miyabi.sessions (task_id);
