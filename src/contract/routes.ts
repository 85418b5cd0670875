import { z } from "zod";
import { agentScreen, agentView } from "./agent.ts";
import { CHAT_ROUTES } from "./chat.ts";
import { DEAD_LETTER_ROUTES } from "./dead-letter.ts";
import { eventView } from "./event.ts";
import { GATEWAY_ROUTES } from "./gateway.ts";
import { instant, pageOf, questionId, runId, slotId, taskClass, taskId } from "./primitives.ts";
import { answerBody, messageView, questionView } from "./question.ts";
import { componentHealth, repositoryView, statusView } from "./status.ts";
import { explanation, newTask, runView, taskDetail, taskDiff, taskState, taskSummary } from "./task.ts";
import { logItem, transcriptItem } from "./transcript.ts";

/**
 * Who may call: `view` reads, `operate` changes tasks and agents, `admin` changes the installation, `prompts` reads what was
 * said in model calls, where that is kept.
 */
export const PERMISSIONS = ["view", "operate", "admin", "prompts"] as const;
export type Permission = (typeof PERMISSIONS)[number];

export interface Route {
  readonly method: "GET" | "POST";
  /** Fastify style, e.g. `/api/tasks/:id`. */
  readonly path: string;
  readonly permission: Permission;
  /** One sentence for the API's documentation. */
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly response: z.ZodType;
  /** Status of success; default 200. */
  readonly status?: 201 | 202;
  /** Largest body; default 1 MiB. */
  readonly maxBodyBytes?: number;
}

const page = { cursor: z.string().optional(), limit: z.coerce.number().int().min(1).max(200).default(50) };
const commaList = <T extends string>(item: z.ZodType<T, string>) =>
  z
    .string()
    .transform((text) => text.split(",").filter((part) => part !== ""))
    .pipe(z.array(item));
const task = z.object({ id: taskId });
const slot = z.object({ slot: slotId });
const none = z.object({});

/**
 * Every JSON route of the API. The server registers exactly these, the console and the command line call only these.
 * Writes accept an `Idempotency-Key` header: the same key and body give the first answer again.
 * Beside them: `GET /api/events` (SSE), `GET /api/agents/:slot/screen/stream` (SSE of `agentScreen`),
 * `GET /api/chat/threads/:id/stream` (SSE, see `chatText`), `GET /api/chat/attachments/:id/content`, `/healthz`, `/metrics`, `/api/docs`.
 */
export const ROUTES = {
  status: {
    method: "GET",
    path: "/api/status",
    permission: "view",
    summary: "Everything that the overview shows.",
    query: z.object({ range: z.enum(["24h", "7d"]).default("24h") }),
    response: statusView,
  },
  health: {
    method: "GET",
    path: "/api/health",
    permission: "view",
    summary: "Health of each part, with the fix where one is not well.",
    response: z.object({ components: z.array(componentHealth) }),
  },
  listTasks: {
    method: "GET",
    path: "/api/tasks",
    permission: "view",
    summary: "Tasks, newest first or by deadline, filtered.",
    query: z.object({
      ...page,
      state: commaList(taskState).optional(),
      class: commaList(taskClass).optional(),
      repository: z.string().optional(),
      label: z.string().optional(),
      /** Part of the title, or an id. */
      q: z.string().max(200).optional(),
      order: z.enum(["newest", "deadline", "updated"]).default("newest"),
    }),
    /** `total` counts what matches the filters; it is exact below 1,000 and stays there above ("1,000 or more"). */
    response: pageOf(taskSummary).extend({ total: z.number().int().min(0).max(1_000) }),
  },
  createTask: {
    method: "POST",
    path: "/api/tasks",
    permission: "operate",
    summary: "Adds a task for a local git repository.",
    body: newTask,
    response: taskDetail,
    status: 201,
  },
  getTask: {
    method: "GET",
    path: "/api/tasks/:id",
    permission: "view",
    summary: "One task with its steps and runs.",
    params: task,
    response: taskDetail,
  },
  explainTask: {
    method: "GET",
    path: "/api/tasks/:id/explain",
    permission: "view",
    summary: "Why the task is where it is and what would move it.",
    params: task,
    response: explanation,
  },
  cancelTask: {
    method: "POST",
    path: "/api/tasks/:id/cancel",
    permission: "operate",
    summary: "Ends the task; its work stays on its branch.",
    params: task,
    body: z.strictObject({ reason: z.string().max(2000).optional() }),
    response: taskDetail,
  },
  retryTask: {
    method: "POST",
    path: "/api/tasks/:id/retry",
    permission: "operate",
    summary: "Starts a failed, cancelled or waiting task again where it stopped.",
    params: task,
    body: none,
    response: taskDetail,
  },
  approveTask: {
    method: "POST",
    path: "/api/tasks/:id/approve",
    permission: "operate",
    summary: "Answers the approval that the task waits for.",
    params: task,
    body: z.strictObject({ approve: z.boolean().default(true), note: z.string().max(20_000).optional() }),
    response: taskDetail,
  },
  takeOverTask: {
    method: "POST",
    path: "/api/tasks/:id/takeover",
    permission: "operate",
    summary: "Opens the agent's own terminal program in its pane for a person.",
    params: task,
    body: none,
    response: z.object({ slot: slotId, attachCommand: z.string().nullable() }),
  },
  handBackTask: {
    method: "POST",
    path: "/api/tasks/:id/handback",
    permission: "operate",
    summary: "Gives a taken-over task back to its agent, with the person's commits.",
    params: task,
    body: none,
    response: taskDetail,
  },
  setTaskClass: {
    method: "POST",
    path: "/api/tasks/:id/class",
    permission: "operate",
    summary: "Changes the urgency class and with it the deadline.",
    params: task,
    body: z.strictObject({ class: taskClass, dueAt: instant.optional() }),
    response: taskDetail,
  },
  setTaskDependencies: {
    method: "POST",
    path: "/api/tasks/:id/dependencies",
    permission: "operate",
    summary: "Replaces what a task that has not started depends on; a cycle is refused with its path.",
    params: task,
    body: z.strictObject({ dependsOn: z.array(taskId).max(100) }),
    response: taskDetail,
  },
  taskDiff: {
    method: "GET",
    path: "/api/tasks/:id/diff",
    permission: "view",
    summary: "Changes of the task; of one run's commit where `run` is given.",
    params: task,
    query: z.object({ run: runId.optional() }),
    response: taskDiff,
  },
  taskEvents: {
    method: "GET",
    path: "/api/tasks/:id/events",
    permission: "view",
    summary: "History of the task, newest first.",
    params: task,
    query: z.object(page),
    response: pageOf(eventView),
  },
  taskMessages: {
    method: "GET",
    path: "/api/tasks/:id/messages",
    permission: "view",
    summary: "Messages between agents about the task.",
    params: task,
    query: z.object(page),
    response: pageOf(messageView),
  },
  getRun: {
    method: "GET",
    path: "/api/runs/:id",
    permission: "view",
    summary: "One run.",
    params: z.object({ id: runId }),
    response: runView,
  },
  transcript: {
    method: "GET",
    path: "/api/runs/:id/transcript",
    permission: "view",
    summary: "Transcript items after a sequence number, oldest first.",
    params: z.object({ id: runId }),
    query: z.object({
      after: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(2000).default(500),
    }),
    response: z.object({ items: z.array(transcriptItem), lastSeq: z.number().int(), ended: z.boolean() }),
  },
  listLogs: {
    method: "GET",
    path: "/api/logs",
    permission: "view",
    summary: "Transcript items of all runs, the newest page first; within a page oldest first.",
    query: z.object({
      ...page,
      task: taskId.optional(),
      agent: slotId.optional(),
      /** Only items at or after this instant. */
      since: instant.optional(),
    }),
    response: pageOf(logItem),
  },
  listQuestions: {
    method: "GET",
    path: "/api/questions",
    permission: "view",
    summary: "What waits for a person, or was answered.",
    query: z.object({ ...page, open: z.stringbool().default(true) }),
    response: pageOf(questionView),
  },
  answerQuestion: {
    method: "POST",
    path: "/api/questions/:id/answer",
    permission: "operate",
    summary: "Answers an agent's question, permission request or approval.",
    params: z.object({ id: questionId }),
    body: answerBody,
    response: questionView,
  },
  listAgents: {
    method: "GET",
    path: "/api/agents",
    permission: "view",
    summary: "The team, slot by slot.",
    response: z.object({ items: z.array(agentView) }),
  },
  restartAgent: {
    method: "POST",
    path: "/api/agents/:slot/restart",
    permission: "operate",
    summary: "Ends the agent host of a slot and starts a new one; its work resumes.",
    params: slot,
    body: none,
    response: agentView,
    status: 202,
  },
  drainAgent: {
    method: "POST",
    path: "/api/agents/:slot/drain",
    permission: "operate",
    summary: "Lets the slot finish its run and take no other, or take work again.",
    params: slot,
    body: z.strictObject({ drain: z.boolean() }),
    response: agentView,
  },
  tellAgent: {
    method: "POST",
    path: "/api/agents/:slot/message",
    permission: "operate",
    summary: "Says something to the agent that works in the slot.",
    params: slot,
    body: z.strictObject({ text: z.string().trim().min(1).max(20_000) }),
    response: messageView,
    status: 201,
  },
  agentScreen: {
    method: "GET",
    path: "/api/agents/:slot/screen",
    permission: "view",
    summary: "What the slot's pane shows now.",
    params: slot,
    response: agentScreen,
  },
  listMessages: {
    method: "GET",
    path: "/api/messages",
    permission: "view",
    summary: "Messages between agents, newest first.",
    query: z.object({ ...page, recipient: z.string().optional(), state: z.string().optional() }),
    response: pageOf(messageView),
  },
  listRepositories: {
    method: "GET",
    path: "/api/repositories",
    permission: "view",
    summary: "Repositories that tasks were added for.",
    response: z.object({ items: z.array(repositoryView) }),
  },
  addRepository: {
    method: "POST",
    path: "/api/repositories",
    permission: "admin",
    summary: "Registers a local git repository.",
    body: z.strictObject({ path: z.string().min(1), targetBranch: z.string().optional() }),
    response: repositoryView,
    status: 201,
  },
  startDemo: {
    method: "POST",
    path: "/api/demo",
    permission: "admin",
    summary: "Makes a fresh sample repository and adds its issues as tasks.",
    body: z.strictObject({
      /** Agent profile instead of the sample agent, e.g. `claude`. */
      profile: z.string().optional(),
    }),
    response: z.object({ repositoryPath: z.string(), taskIds: z.array(taskId) }),
    status: 201,
  },
  shutDown: {
    method: "POST",
    path: "/api/shutdown",
    permission: "admin",
    summary: "Ends the product in order: agents, control plane, database.",
    body: none,
    response: z.object({ stopping: z.literal(true) }),
    status: 202,
  },
  whoAmI: {
    method: "GET",
    path: "/api/whoami",
    permission: "view",
    summary: "The caller and what they may do.",
    response: z.object({
      name: z.string(),
      permissions: z.array(z.enum(PERMISSIONS)),
      via: z.enum(["cookie", "token"]),
    }),
  },
  createLoginLink: {
    method: "POST",
    path: "/api/login-links",
    permission: "admin",
    summary: "A link that signs a browser in once, within 10 minutes.",
    body: none,
    response: z.object({ url: z.url(), expiresAt: instant }),
    status: 201,
  },
  ...GATEWAY_ROUTES,
  ...CHAT_ROUTES,
  ...DEAD_LETTER_ROUTES,
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;

/** Exchanges a login link's code (the URL's fragment, so it reaches no log) for the session cookie. Needs no permission. */
export const LOGIN_PATH = "/api/login";
/** Ends the session of the caller's cookie; its event streams end with it. */
export const LOGOUT_PATH = "/api/logout";
export const loginBody = z.strictObject({ code: z.string().min(20).max(200) });
