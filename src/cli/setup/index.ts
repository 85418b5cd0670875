export { runSetup, type SetupFlags } from "./command.ts";
