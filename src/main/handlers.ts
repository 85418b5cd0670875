import { AppError, type Clock, type Home } from "../base/index.ts";
import type { Handlers } from "../api/index.ts";
import type { ChatHandlers } from "./chat-handlers.ts";
import type { DeadLetterHandlers } from "./dead-letter-handlers.ts";
import type { GatewayHandlers } from "./gateway-handlers.ts";
import { readTranscript } from "../logs/index.ts";
import { diffOf, ensureCache, sourcePathOf } from "../repositories/index.ts";
import { eventsOfTask, parseEventId, type TaskQueries } from "../tasks/index.ts";
import type { AgentDesk } from "./agent-desk.ts";
import type { Domain } from "./domain.ts";
import type { StatusDesk } from "./status-desk.ts";

export interface HandlerParams {
  readonly domain: Domain;
  readonly reads: TaskQueries;
  readonly agents: AgentDesk;
  readonly status: StatusDesk;
  readonly home: Home;
  readonly clock: Pick<Clock, "now">;
  readonly startDemo: (
    profile: string | null,
  ) => Promise<{ readonly repositoryPath: string; readonly taskIds: readonly string[] }>;
  readonly createLoginLink: () => Promise<{ readonly url: string; readonly expiresAt: Date }>;
  readonly shutDown: () => void;
}

const MAX_PATCH_BYTES = 1024 * 1024;

/** The API's handlers over the domain: each route of the contract once. */
export function createHandlers(
  params: Readonly<HandlerParams>,
): Omit<Handlers, "listLogs" | keyof GatewayHandlers | keyof ChatHandlers | keyof DeadLetterHandlers> {
  const { domain, reads, agents } = params;
  const { tasks, questions, mailboxes, intake } = domain;
  const happen = async (id: string, happening: Parameters<typeof tasks.happen>[1]) => {
    await tasks.happen(id, happening);
    agents.wake();
    return reads.detail(id);
  };
  return {
    status: ({ query }) => params.status.view(query.range),
    health: async () => ({ components: [...(await params.status.health())] }),
    listTasks: ({ query }) => reads.list(query),
    createTask: async ({ body, idempotencyKey }) => {
      const { id } = await intake.add(body, { idempotencyKey, source: "api" });
      return reads.detail(id);
    },
    getTask: ({ params: { id } }) => reads.detail(id),
    explainTask: ({ params: { id } }) => reads.explain(id, params.clock.now()),
    cancelTask: async ({ params: { id }, body, caller }) => {
      await agents.cancelRunOf(id, async () => {
        await tasks.happen(id, { type: "cancel", by: caller.name, note: body.reason ?? "" });
      });
      return reads.detail(id);
    },
    retryTask: ({ params: { id }, caller }) => happen(id, { type: "retry", by: caller.name }),
    approveTask: ({ params: { id }, body, caller }) =>
      happen(id, { type: "approve", approve: body.approve, note: body.note ?? "", by: caller.name }),
    takeOverTask: ({ params: { id } }) => agents.takeOver(id),
    handBackTask: async ({ params: { id } }) => {
      await agents.handBack(id);
      return reads.detail(id);
    },
    setTaskClass: async ({ params: { id }, body }) => {
      await tasks.setClass(id, body.class, body.dueAt === undefined ? null : new Date(body.dueAt));
      return reads.detail(id);
    },
    setTaskDependencies: async ({ params: { id }, body }) => {
      await tasks.setDependencies(id, body.dependsOn);
      return reads.detail(id);
    },
    taskDiff: ({ params: { id }, query }) => diff(params, id, query.run ?? null),
    taskEvents: async ({ params: { id }, query }) => {
      const before = query.cursor === undefined ? null : (parseEventId(query.cursor)?.number ?? null);
      const items = await eventsOfTask(domain.database, id, before, query.limit);
      return {
        items: [...items],
        nextCursor: items.length === query.limit ? (items.at(-1)?.id ?? null) : null,
      };
    },
    taskMessages: ({ params: { id }, query }) =>
      mailboxes.list({
        taskId: id,
        limit: query.limit,
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      }),
    getRun: ({ params: { id } }) => reads.run(id),
    transcript: async ({ params: { id }, query }) => {
      const found = await readTranscript(domain.database, { runId: id, ...query });
      if (found === null) throw new AppError({ code: "not_found", message: `There is no run ${id}.` });
      return found;
    },
    listQuestions: ({ query }) =>
      questions.list({
        open: query.open,
        limit: query.limit,
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      }),
    answerQuestion: async ({ params: { id }, body, caller }) => {
      const answered = await questions.answer({ id, answer: body.answer, answeredBy: caller.name });
      agents.wake();
      return answered;
    },
    listAgents: async () => ({ items: [...(await agents.list())] }),
    restartAgent: ({ params: { slot } }) => agents.restart(slot),
    drainAgent: ({ params: { slot }, body }) => agents.drain(slot, body.drain),
    tellAgent: ({ params: { slot }, body, caller, idempotencyKey }) =>
      agents.tell(slot, body.text, { from: caller.name, idempotencyKey }),
    agentScreen: ({ params: { slot } }) => agents.screen(slot),
    listMessages: ({ query }) =>
      mailboxes.list({
        limit: query.limit,
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        ...(query.recipient === undefined ? {} : { recipient: query.recipient }),
        ...(query.state === undefined ? {} : { state: query.state as never }),
      }),
    listRepositories: async () => ({ items: [...(await reads.repositories())] }),
    addRepository: async ({ body }) => {
      const known = await intake.register(body.path, body.targetBranch ?? null);
      await domain.database.query(
        "insert into miyabi.repositories (id, name, path, target_branch) values ($1, $2, $3, $4) on conflict do nothing",
        [known.id, known.name, known.path, known.targetBranch],
      );
      const found = (await reads.repositories()).find((one) => one.id === known.id);
      if (found === undefined)
        throw new AppError({ code: "not_found", message: `${body.path} could not be registered.` });
      return found;
    },
    startDemo: async ({ body }) => {
      const started = await params.startDemo(body.profile ?? null);
      return { repositoryPath: started.repositoryPath, taskIds: [...started.taskIds] };
    },
    shutDown: () => {
      params.shutDown();
      return Promise.resolve({ stopping: true as const });
    },
    whoAmI: ({ caller }) =>
      Promise.resolve({ name: caller.name, permissions: [...caller.permissions], via: caller.via }),
    createLoginLink: async () => {
      const { url, expiresAt } = await params.createLoginLink();
      return { url, expiresAt: expiresAt.toISOString() };
    },
  };
}

/** The task's whole change, or what one run handed over. */
async function diff({ domain, home }: Readonly<HandlerParams>, taskId: string, runId: string | null) {
  const { rows } = await domain.database.query<{
    base: string | null;
    head: string | null;
    repository_id: string;
    path: string;
    is_hosted: boolean;
  }>(
    `select t.base_commit as base, coalesce(r.result_commit, r.handover_commit, t.head_commit) as head, t.repository_id, p.path, p.remote is not null as is_hosted
     from miyabi.tasks t join miyabi.repositories p on p.id = t.repository_id left join miyabi.runs r on r.task_id = t.id and r.id = $2 where t.id = $1`,
    [taskId, runId],
  );
  const row = rows[0];
  if (row === undefined)
    throw new AppError({
      code: "not_found",
      message: `There is no task ${taskId}.`,
      fix: "miyabi task list",
    });
  if (row.base === null || row.head === null)
    return { base: row.base ?? "", head: row.head ?? "", files: [], patch: "", truncated: false };
  const cachePath = await ensureCache(domain.git, {
    repositoryId: row.repository_id,
    sourcePath: sourcePathOf({ path: row.path, isHosted: row.is_hosted }, home),
    cachesDir: home.repositoriesDir,
  });
  await domain.work.bring({ cachePath, taskId, commit: row.head });
  const found = await diffOf(domain.git, {
    cachePath,
    base: row.base,
    head: row.head,
    maxBytes: MAX_PATCH_BYTES,
  });
  return {
    base: row.base,
    head: row.head,
    files: found.files.map((file) => ({
      path: file.path,
      oldPath: null,
      insertions: file.insertions ?? 0,
      deletions: file.deletions ?? 0,
      binary: file.insertions === null,
    })),
    patch: found.patch,
    truncated: found.truncated,
  };
}
