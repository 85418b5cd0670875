export { acceptHandover } from "./accept-handover.ts";
export type { SpecBuilderParams } from "./spec-builder.ts";
export { createDispatcher } from "./dispatcher.ts";
export { createHostHub, type ConnectedHost, type HostHub } from "./host-hub.ts";
export type { Mailboxes, PermissionDesk, TranscriptSink } from "./ports.ts";
export { collectableSessions, markCollected, sessionDirectories } from "./session-store.ts";
export { loadSlots, runOfSlot, saveDraining } from "./slot-store.ts";
export { createWatchdog } from "./watchdog.ts";
