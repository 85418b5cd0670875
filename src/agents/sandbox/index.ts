export { buildSandbox, type BuiltSandbox } from "./command.ts";
export type { ChildExit } from "./child.ts";
export { installCommand, readHostFacts } from "./diagnosis.ts";
export { freezeSandbox, thawSandbox } from "./freeze.ts";
export { killNamespace, killSandboxesOf, killTree } from "./kill.ts";
export { readHostLayout, type HostLayout } from "./layout.ts";
export { probeSandbox, type SandboxProbe } from "./probe.ts";
export {
  DEFAULT_LIMITS,
  RUN_SOCKET_DIR,
  RUNTIMES,
  SANDBOX_UID,
  type Companion,
  type SandboxIdentity,
  type SandboxLimits,
  type SandboxRuntime,
  type SandboxSpec,
} from "./spec.ts";
export { startSandbox, type SandboxHandle } from "./start.ts";
export { watchUsage, type UsageExceeded, type UsageLimits } from "./usage.ts";
