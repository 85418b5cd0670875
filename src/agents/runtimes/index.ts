export * from "./slot-runtime.ts";
export { createTmuxRuntime } from "./tmux-runtime.ts";
export { createProcessRuntime } from "./process-runtime.ts";
export { endProcess } from "./end-process.ts";
export { readTail } from "./bounded-file.ts";
