export {
  EVENTS_CHANNEL,
  appendEvents,
  eventsAfter,
  eventsOfTask,
  lastEventId,
  parseEventId,
  type NewEvent,
} from "./events.ts";
export { cycleError } from "./dependencies.ts";
export { DEFAULT_SLA_MS, type TaskClass } from "./deadline.ts";
export { findCycle, topologicalOrder, type Graph } from "./graph.ts";
export {
  addToOutbox,
  createOutboxWorker,
  OUTBOX_CHANNEL,
  syncThroughOutbox,
  type OutboxEntry,
  type OutboxHandler,
  type OutboxHandlers,
} from "./outbox/index.ts";
export { createHeartbeat, joinMachines, RESERVED_CHANNEL, type Machine } from "./machines/index.ts";
export { createRunQueue, bossQueueName, type RunQueue } from "./run-queue.ts";
export {
  createRunService,
  type ClaimedRun,
  type Fenced,
  type RunIdentity,
  type RunService,
} from "./run-service.ts";
export { createTaskService, type Approvals, type TaskService } from "./task-service.ts";
export type { TaskDraft } from "./create-task.ts";
export type { TaskHappening } from "./decide.ts";
export type { Cause, Reason, RunResult } from "./model.ts";
export { because } from "./reasons.ts";
export { answersIn, withAnswers, withoutAnswers } from "./answers.ts";
export { defaultWorkflow, workflow, type Workflow, type WorkflowStep } from "./workflow.ts";
export { createTaskQueries, type TaskQueries, type TaskQueriesParams } from "./task-queries.ts";
export { countTasks, type Overview } from "./overview.ts";
export type { TaskFilter, TaskPage } from "./task-list.ts";
export type { Costs } from "./view-rows.ts";
export type { SlotFact, TeamFacts } from "./explain-facts.ts";
