import { type RunSpec, runSpec } from "../protocol.ts";

/** A run as a control plane would assign it, for tests: a check of a commit unless told otherwise. */
export function sampleSpec(changes: Partial<RunSpec> = {}): RunSpec {
  return runSpec.parse({
    runId: "R1",
    attempt: 1,
    taskId: "T1",
    taskTitle: "Greet the world",
    step: "implement",
    kind: "agent",
    role: "code",
    leaseMs: 30_000,
    timeoutMs: 60_000,
    // Test processes run side by side and clean up after runs of theirs.
    sandboxId: `test-${process.pid}.R1.1`,
    token: "run-token",
    workspace: {
      cacheDir: "/nowhere/cache.git",
      mode: "checkout",
      dir: "/nowhere/session",
      commit: "0".repeat(40),
      branch: "miyabi/T1",
      base: "0".repeat(40),
      author: { name: "Kaede", email: "kaede@localhost" },
      prepare: null,
    },
    agent: null,
    commands: [],
    egress: [],
    limits: { outputBytes: 1_000_000, diskBytes: 1_000_000_000, handoverBytes: 10_000_000 },
    sandbox: "bubblewrap",
    ...changes,
  });
}
