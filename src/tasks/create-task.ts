import { createHash } from "node:crypto";
import { AppError } from "../base/index.ts";
import type { Tx } from "../store/index.ts";
import { inheritDeadlines } from "./deadline-inheritance.ts";
import { ownDeadline, type DEFAULT_SLA_MS, type TaskClass } from "./deadline.ts";
import { appendEvents } from "./events.ts";
import type { RunQueue } from "./run-queue.ts";
import type { Workflow } from "./workflow.ts";

/** A task as the intake hands it over: repository inspected, workflow read and checked. */
export interface TaskDraft {
  readonly repository: {
    readonly id: string;
    readonly name: string;
    readonly path: string;
    readonly targetBranch: string;
  };
  readonly source: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly class: TaskClass;
  readonly dueAt: Date | null;
  readonly dependsOn: readonly string[];
  readonly workflow: Workflow;
  readonly profile: string | null;
  /** The same key with the same content gives the task that exists; with other content it is refused. */
  readonly idempotencyKey: string | null;
  readonly branchFor: (taskId: string) => string;
}

interface CreateParams {
  readonly queue: RunQueue;
  readonly now: Date;
  readonly slaMs?: typeof DEFAULT_SLA_MS;
}

/**
 * Inserts a task in state `queued`; the caller admits it in the same transaction.
 * @throws not_found where a dependency does not exist; conflict.state where the idempotency key belongs to another request.
 */
export async function insertTask(
  tx: Tx,
  draft: Readonly<TaskDraft>,
  params: Readonly<CreateParams>,
): Promise<{ readonly id: string; readonly created: boolean }> {
  const hash = requestHash(draft);
  const known = await findByKey(tx, draft.idempotencyKey, hash);
  if (known !== null) return known;
  await requireTasks(tx, draft.dependsOn);
  // On no particular conflict: of two first tasks at once the later one may meet the path before the id.
  await tx.query(
    "insert into miyabi.repositories (id, name, path, target_branch) values ($1, $2, $3, $4) on conflict do nothing",
    [draft.repository.id, draft.repository.name, draft.repository.path, draft.repository.targetBranch],
  );
  const deadline = ownDeadline({
    class: draft.class,
    dueAt: draft.dueAt,
    createdAt: params.now,
    ...(params.slaMs === undefined ? {} : { slaMs: params.slaMs }),
  });
  // The branch is named after the task, so the number is drawn before its row is written.
  const drawn = await tx.query<{ number: string }>("select nextval('miyabi.tasks_number_seq') as number");
  const number = drawn.rows[0]?.number as string;
  const id = `T${number}`;
  const { rowCount } = await tx.query(
    `insert into miyabi.tasks (number, branch, repository_id, source, title, body, labels, class, due_at, own_deadline_at, deadline_at, workflow, profile, idempotency_key, request_hash)
     overriding system value values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14)
     on conflict (idempotency_key) do nothing`,
    [
      number,
      draft.branchFor(id),
      draft.repository.id,
      draft.source,
      draft.title,
      draft.body,
      draft.labels,
      draft.class,
      draft.dueAt,
      deadline,
      JSON.stringify(draft.workflow),
      draft.profile,
      draft.idempotencyKey,
      hash,
    ],
  );
  if (rowCount === 0) {
    // The same request, sent twice at once: the other one has committed by now.
    const other = await findByKey(tx, draft.idempotencyKey, hash);
    if (other !== null) return other;
    throw new AppError({ code: "internal.bug", message: "A task was neither inserted nor found." });
  }
  const steps = draft.workflow.steps.map((step, position) => ({
    position,
    name: step.name,
    kind: step.kind,
    role: step.kind === "agent" ? step.role : null,
  }));
  await tx.query(
    `insert into miyabi.steps (task_id, position, name, kind, role)
     select $1, s.position, s.name, s.kind, s.role from jsonb_to_recordset($2) as s(position int, name text, kind text, role text)`,
    [id, JSON.stringify(steps)],
  );
  if (draft.dependsOn.length > 0) {
    await tx.query(
      "insert into miyabi.task_dependencies (task_id, depends_on) select $1, unnest($2::text[]) on conflict do nothing",
      [id, draft.dependsOn],
    );
    await inheritDeadlines(tx, params.queue, id);
  }
  await appendEvents(tx, [
    {
      type: "task.created",
      taskId: id,
      data: { title: draft.title, class: draft.class, repository: draft.repository.name },
    },
  ]);
  return { id, created: true };
}

/** @throws conflict.state where the key belongs to another request. */
async function findByKey(
  tx: Tx,
  key: string | null,
  hash: string,
): Promise<{ readonly id: string; readonly created: false } | null> {
  if (key === null) return null;
  const { rows } = await tx.query<{ id: string; request_hash: string }>(
    "select id, request_hash from miyabi.tasks where idempotency_key = $1",
    [key],
  );
  const row = rows[0];
  if (row === undefined) return null;
  if (row.request_hash === hash) return { id: row.id, created: false };
  throw new AppError({
    code: "conflict.state",
    message: `The idempotency key was used for ${row.id} with other content.`,
    fix: "Send a new key with a new request.",
  });
}

function requestHash(draft: Readonly<TaskDraft>): string {
  const { repository, source, title, body, labels, class: taskClass, dueAt, dependsOn, profile } = draft;
  return createHash("sha256")
    .update(
      JSON.stringify([repository.id, source, title, body, labels, taskClass, dueAt, dependsOn, profile]),
    )
    .digest("hex");
}

/** @throws not_found naming the ids that are no tasks. */
export async function requireTasks(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const { rows } = await tx.query<{ id: string }>("select id from miyabi.tasks where id = any($1)", [ids]);
  const known = new Set(rows.map((row) => row.id));
  const missing = ids.filter((id) => !known.has(id));
  if (missing.length > 0)
    throw new AppError({
      code: "not_found",
      message: `There is no task ${missing.join(", ")}.`,
      fix: "miyabi task list",
      details: { field: "dependsOn", missing },
    });
}
