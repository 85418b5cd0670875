export * from "./intake/index.ts";
export * from "./sample/index.ts";
