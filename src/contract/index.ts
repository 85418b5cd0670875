export * from "./agent.ts";
export * from "./event.ts";
export * from "./primitives.ts";
export * from "./question.ts";
export * from "./routes.ts";
export * from "./status.ts";
export * from "./task.ts";
export * from "./transcript.ts";
