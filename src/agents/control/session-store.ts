import type { Queryable } from "../../store/index.ts";

/** What an agent keeps between runs of one task: its own session, its clone and its private home. */
export interface SessionRecord {
  readonly id: string;
  readonly profile: string;
  readonly agentSessionId: string | null;
}

/** The session of a task and role, created where missing. A session of another profile gives up its agent's session. */
export async function openSession(
  db: Queryable,
  params: {
    readonly taskId: string;
    readonly role: string;
    readonly profile: string;
    readonly machine: string;
  },
): Promise<SessionRecord> {
  const { rows } = await db.query<{ id: string; profile: string; agent_session_id: string | null }>(
    `insert into miyabi.sessions as s (id, task_id, role, profile, machine) values ($1, $2, $3, $4, $5)
     on conflict (id) do update set profile = excluded.profile, collected_at = null,
       agent_session_id = case when s.profile = excluded.profile then s.agent_session_id end
     returning id, profile, agent_session_id`,
    [`${params.taskId}-${params.role}`, params.taskId, params.role, params.profile, params.machine],
  );
  const row = rows[0];
  return {
    id: row?.id ?? "",
    profile: row?.profile ?? params.profile,
    agentSessionId: row?.agent_session_id ?? null,
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

/** Sessions of ended tasks whose directories are still there. */
export async function collectableSessions(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select s.id from miyabi.sessions s join miyabi.tasks t on t.id = s.task_id
     where s.collected_at is null and t.state in ('done', 'cancelled')
       and not exists (select 1 from miyabi.runs r where r.task_id = t.id and r.state in ('queued', 'leased', 'running')) limit 50`,
  );
  return rows.map((row) => row.id);
}

export async function markCollected(db: Queryable, sessionId: string): Promise<void> {
  await db.query("update miyabi.sessions set collected_at = now() where id = $1", [sessionId]);
}
