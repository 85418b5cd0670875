export { addToOutbox, syncThroughOutbox, type OutboxEntry } from "./outbox-store.ts";
export { createOutboxWorker, type OutboxHandler, type OutboxHandlers } from "./outbox-worker.ts";
