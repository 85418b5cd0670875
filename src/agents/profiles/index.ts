export * from "./install.ts";
export * from "./resolve.ts";
export { SAMPLE_PROFILE } from "./shipped.ts";
