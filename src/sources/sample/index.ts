export * from "./issues.ts";
export { createSampleRepository } from "./repository.ts";
