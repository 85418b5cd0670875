import type { Readable, Writable } from "node:stream";
import type { Clock } from "../base/index.ts";
import type { TranscriptBody } from "../contract/index.ts";
import type { AgentProfile } from "./profile.ts";

/** A started program, sandboxed or not, as a driver sees it. */
export interface AgentProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the program and everything it started are gone. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Ends the whole process tree and resolves when it is confirmed dead. */
  kill(): Promise<void>;
}

/**
 * Starts a program in the run's sandbox, in the clone. The host provides it; a driver never spawns by itself.
 * `env` is added to what the host sets for every program (HOME, PATH, LANG, TMPDIR).
 */
export type StartProcess = (params: {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}) => Promise<AgentProcess>;

export interface PermissionRequest {
  readonly requestId: string;
  readonly title: string;
  /** Offered answers as the agent names them. */
  readonly options: readonly { readonly id: string; readonly name: string; readonly kind: string }[];
  /** Paths the call touches, as given by the agent (untrusted). */
  readonly paths: readonly string[];
  readonly tool: string;
}
/** `optionId` null cancels the request. */
export type PermissionDecision = { readonly optionId: string | null };

export interface DriverParams {
  readonly profile: AgentProfile;
  /** Names of the run, for the environment of a command agent. */
  readonly run: { readonly runId: string; readonly taskId: string; readonly role: string };
  readonly cwd: string;
  readonly home: string;
  /** Path of the directory that holds the agent's npm package; null where the profile has none. */
  readonly packageDir: string | null;
  readonly gatewayUrl: string;
  readonly mcpUrl: string;
  /** The agent's own session to continue; null starts a new one. */
  readonly resumeSessionId: string | null;
  readonly startProcess: StartProcess;
  readonly onEvent: (event: TranscriptBody) => void;
  readonly onPermission: (request: PermissionRequest, signal: AbortSignal) => Promise<PermissionDecision>;
  /** Ends the program when it aborts. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** How long the program may take until its session is open. */
  readonly startTimeoutMs: number;
}

export type TurnOutcome =
  | {
      readonly outcome: "ended";
      readonly tokensIn: number | null;
      readonly tokensOut: number | null;
      /** What a command agent wrote to `$MIYABI_RESULT`; null for ACP agents, which report through MCP. */
      readonly verdict: string | null;
      readonly notes: string | null;
    }
  | { readonly outcome: "cancelled" }
  | { readonly outcome: "refused"; readonly detail: string }
  /** The provider's usage limit was hit; `resetAt` is what it stated, null where it stated nothing. */
  | { readonly outcome: "quota"; readonly resetAt: Date | null; readonly detail: string }
  /** Protocol error, exit in the middle of a turn, unreadable output. */
  | { readonly outcome: "broken"; readonly detail: string };

/** One live agent session. */
export interface AgentSession {
  /** The agent's own id of the session; null where it has none (command driver). */
  readonly sessionId: string | null;
  /** Whether `resumeSessionId` was really continued; false: the caller must send a summary. */
  readonly resumed: boolean;
  /** Sends one prompt and waits for the end of the turn. Never rejects for what an agent does. */
  prompt(text: string): Promise<TurnOutcome>;
  /** Asks the agent to stop its turn; kills it where it does not within `graceMs`. */
  cancel(graceMs: number): Promise<void>;
  /** Ends the program. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens a session with a coding agent.
 * @throws agent.protocol where the program does not speak the protocol, exits at once or stays silent for `startTimeoutMs`.
 */
export type OpenAgent = (params: Readonly<DriverParams>) => Promise<AgentSession>;
