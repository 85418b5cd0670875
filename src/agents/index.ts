export * from "./control/index.ts";
export { hostCommand } from "./host/index.ts";
export {
  installAgentPackage,
  isAgentInstalled,
  packageDirOf,
  profileNames,
  profileOverride,
  resolveProfile,
  SAMPLE_PROFILE,
} from "./profiles/index.ts";
export type { AgentProfile } from "./profile.ts";
export {
  createProcessRuntime,
  createTmuxRuntime,
  type SlotRuntime,
  type StartSlot,
} from "./runtimes/index.ts";
export {
  installCommand,
  probeSandbox,
  readHostFacts,
  readHostLayout,
  RUNTIMES,
  type SandboxProbe,
} from "./sandbox/index.ts";
export { queuesOf, shippedTeam, slotsOf, team, type Team, type TeamSlot } from "./team/index.ts";
