export { addToOutbox, OUTBOX_CHANNEL, syncThroughOutbox, type OutboxEntry } from "./outbox-store.ts";
export { createOutboxWorker, type OutboxHandler, type OutboxHandlers } from "./outbox-worker.ts";
