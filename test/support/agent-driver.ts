import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { signalProcess, spawnProcess, systemClock } from "../../src/base/index.ts";
import type { TranscriptBody } from "../../src/contract/index.ts";
import type { AgentProcess, DriverParams, PermissionRequest, StartProcess } from "../../src/agents/driver.ts";
import { agentProfile, type AgentProfile } from "../../src/agents/profile.ts";

/** Starts agents as plain process groups, without a sandbox. */
export function createUnsandboxedStart(
  cwd: string,
  home: string,
): { readonly startProcess: StartProcess; readonly started: readonly AgentProcess[] } {
  const started: AgentProcess[] = [];
  const startProcess: StartProcess = async ({ command, args, env }) => {
    const child = spawnProcess(command, args, {
      cwd,
      env: {
        PATH: `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
        HOME: home,
        LANG: "C.UTF-8",
        ...env,
      },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    const { pid, stdin, stdout, stderr } = child;
    if (stdin === null || stdout === null || stderr === null) throw new Error("no pipes");
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.on("exit", (code, signal) => resolve({ code, signal }));
      child.on("error", () => resolve({ code: 127, signal: null }));
    });
    const program: AgentProcess = {
      stdin,
      stdout,
      stderr,
      exited,
      kill: async () => {
        // The group outlives its leader: children that an agent left behind are still in it.
        if (pid !== undefined) signalProcess(-pid, "SIGKILL");
        await exited;
      },
    };
    started.push(program);
    return program;
  };
  return { startProcess, started };
}

export interface DriverBench {
  readonly params: DriverParams;
  readonly events: TranscriptBody[];
  readonly permissions: PermissionRequest[];
  readonly cwd: string;
  readonly home: string;
  /** Events of one kind so far. */
  ofKind<K extends TranscriptBody["kind"]>(kind: K): Extract<TranscriptBody, { kind: K }>[];
  /** The agent's words so far. */
  text(): string;
  cleanUp(): Promise<void>;
}

/** Everything a driver needs, with fresh directories. `changes` may replace any of it. */
export async function createDriverBench(
  profile: Partial<AgentProfile>,
  changes: Partial<DriverParams> = {},
): Promise<DriverBench> {
  const root = await mkdtemp(path.join(tmpdir(), "miyabi-driver-"));
  const cwd = await mkdtemp(path.join(root, "clone-"));
  const home = await mkdtemp(path.join(root, "home-"));
  const { startProcess, started } = createUnsandboxedStart(cwd, home);
  const events: TranscriptBody[] = [];
  const permissions: PermissionRequest[] = [];
  const params: DriverParams = {
    profile: agentProfile.parse({
      name: "test",
      title: "Test agent",
      driver: "acp",
      command: "true",
      ...profile,
    }),
    run: { runId: "R-1", taskId: "T-1", role: "code" },
    cwd,
    home,
    packageDir: null,
    gatewayUrl: "http://127.0.0.1:9",
    mcpUrl: "http://127.0.0.1:9/mcp",
    resumeSessionId: null,
    startProcess,
    onEvent: (event) => events.push(event),
    onPermission: async (request) => {
      permissions.push(request);
      return { optionId: request.options[0]?.id ?? null };
    },
    signal: new AbortController().signal,
    clock: systemClock,
    startTimeoutMs: 10_000,
    ...changes,
  };
  const ofKind: DriverBench["ofKind"] = (kind) =>
    events.filter((event): event is Extract<TranscriptBody, { kind: typeof kind }> => event.kind === kind);
  return {
    params,
    events,
    permissions,
    cwd,
    home,
    ofKind,
    text: () =>
      ofKind("text")
        .map((event) => event.text)
        .join(""),
    cleanUp: async () => {
      for (const program of started) await program.kill();
      await rm(root, { recursive: true, force: true });
    },
  };
}
