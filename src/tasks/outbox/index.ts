export { addToOutbox, syncThroughOutbox, type NewEntry, type OutboxEntry } from "./outbox-store.ts";
export {
  createOutboxWorker,
  type OutboxHandler,
  type OutboxHandlers,
  type OutboxWorkerParams,
} from "./outbox-worker.ts";
