import type { Queryable } from "../../store/index.ts";

/** What an agent keeps between runs of one task: its own session, its clone and its private home. */
export interface SessionRecord {
  readonly id: string;
  readonly profile: string;
  readonly agentSessionId: string | null;
  /** Name of its directory. */
  readonly directory: string;
}

// On another machine it begins anew; where it comes back to, its old clone is not what it was.
const DIRECTORY = "case when s.moves = 0 then s.id else s.id || '-m' || s.moves end";

/** The session of a task and role, created where missing. A session of another profile, or of another machine, gives up its agent's session. */
export async function openSession(
  db: Queryable,
  params: {
    readonly taskId: string;
    readonly role: string;
    readonly profile: string;
    readonly machine: string;
    /** Whether others share the database; alone, a computer that got another name is the same machine. */
    readonly isShared: boolean;
  },
): Promise<SessionRecord> {
  const { rows } = await db.query<{
    id: string;
    profile: string;
    agent_session_id: string | null;
    directory: string;
  }>(
    `insert into miyabi.sessions as s (id, task_id, role, profile, machine) values ($1, $2, $3, $4, $5)
     on conflict (id) do update set profile = excluded.profile, machine = excluded.machine, collected_at = null,
       moves = s.moves + ($6 and s.machine <> excluded.machine)::int,
       agent_session_id = case when s.profile = excluded.profile and not ($6 and s.machine <> excluded.machine) then s.agent_session_id end
     returning id, profile, agent_session_id, ${DIRECTORY} as directory`,
    [
      `${params.taskId}-${params.role}`,
      params.taskId,
      params.role,
      params.profile,
      params.machine,
      params.isShared,
    ],
  );
  const row = rows[0];
  return {
    id: row?.id ?? "",
    profile: row?.profile ?? params.profile,
    agentSessionId: row?.agent_session_id ?? null,
    directory: row?.directory ?? "",
  };
}

export async function rememberAgentSession(
  db: Queryable,
  sessionId: string,
  agentSessionId: string,
): Promise<void> {
  await db.query("update miyabi.sessions set agent_session_id = $2 where id = $1", [
    sessionId,
    agentSessionId,
  ]);
}

/** Directories that open sessions use, wherever. */
export async function sessionDirectories(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ directory: string }>(
    `select ${DIRECTORY} as directory from miyabi.sessions s where collected_at is null`,
  );
  return rows.map((row) => row.directory);
}

/** Sessions of ended tasks whose directories are still there, of a machine; null: of all. */
export async function collectableSessions(
  db: Queryable,
  machine: string | null,
): Promise<readonly { readonly id: string; readonly directory: string }[]> {
  const { rows } = await db.query<{ id: string; directory: string }>(
    `select s.id, ${DIRECTORY} as directory from miyabi.sessions s join miyabi.tasks t on t.id = s.task_id
     where s.collected_at is null and ($1::text is null or s.machine = $1) and t.state in ('done', 'cancelled')
       and not exists (select 1 from miyabi.runs r where r.task_id = t.id and r.state in ('queued', 'leased', 'running')) limit 50`,
    [machine],
  );
  return rows;
}

export async function markCollected(db: Queryable, sessionId: string): Promise<void> {
  await db.query("update miyabi.sessions set collected_at = now() where id = $1", [sessionId]);
}
