export * from "./database-errors.ts";
export * from "./database-source.ts";
export * from "./database.ts";
export * from "./embedded/server.ts";
export * from "./fan.ts";
export * from "./migrate.ts";
export * from "./notifier.ts";
export * from "./queue.ts";
