import { client, type ClientConnection } from "@agentclientprotocol/sdk";
import type { Clock } from "../../../base/index.ts";
import type { AgentProcess } from "../../driver.ts";
import { createTail } from "../tail.ts";
import { openMessageStream } from "./message-stream.ts";

const STDERR_TAIL_BYTES = 8 * 1024;
/** Between the end of the output and the news of the exit, or the other way round. */
const SETTLE_MS = 1_000;
/** For an agent to save its session when its input ends. Codex does not exit by itself; it saves at once. */
const CLOSE_GRACE_MS = 300;

/** The program is gone or unreadable; nothing it was asked will be answered. */
export class AgentEnded extends Error {}

export interface AcpConnection {
  /**
   * Asks the agent.
   * @throws AgentEnded where the program ended; the SDK's RequestError where it answered with an error.
   */
  request(method: string, params: unknown): Promise<unknown>;
  /** Tells the agent; a lost notification is no error, because its end is noticed elsewhere. */
  notify(method: string, params: unknown): void;
  /** Resolves, never rejects, with how the program ended, e.g. `It exited with code 1.` */
  readonly ended: Promise<string>;
  /** What it last wrote to standard error. */
  stderr(): string;
  /** Ends the program at once; pending requests reject. */
  kill(): Promise<void>;
  /** Ends the program, politely at first. Idempotent. */
  close(): Promise<void>;
}

interface ConnectionParams {
  readonly process: AgentProcess;
  readonly clock: Clock;
  readonly onNotification: (method: string, params: unknown) => void;
  readonly onPermission: (params: unknown, signal: AbortSignal) => Promise<unknown>;
  readonly onStray: (text: string) => void;
}

/**
 * Speaks the protocol with a started program. Files and terminals are not offered: the agent works in its sandbox by itself.
 */
export function openConnection(params: Readonly<ConnectionParams>): AcpConnection {
  const { process: program, clock } = params;
  const stderr = createTail(STDERR_TAIL_BYTES);
  program.stderr.on("data", stderr.push);
  program.stderr.on("error", () => {});

  const output = Promise.withResolvers<string | null>();
  const stream = openMessageStream({
    stdin: program.stdin,
    stdout: program.stdout,
    onNotification: params.onNotification,
    onStray: params.onStray,
    onBroken: (detail) => {
      output.resolve(detail);
      void program.kill().catch(() => {});
    },
    onEnd: () => output.resolve(null),
  });
  const app = client({ name: "miyabi" }).onRequest(
    "session/request_permission",
    (raw: unknown) => raw,
    (context) => params.onPermission(context.params, context.signal),
  );
  const connection: ClientConnection = app.connect(stream);

  const within = async <T>(ms: number, promise: Promise<T>): Promise<T | null> => {
    const timer = new AbortController();
    const timeout = clock.sleep(ms, timer.signal).then(
      () => null,
      () => null,
    );
    return Promise.race([promise, timeout]).finally(() => timer.abort());
  };
  const whenEnded = async (): Promise<string> => {
    await Promise.race([output.promise, program.exited]);
    const [broken, exit] = await Promise.all([
      within(SETTLE_MS, output.promise),
      within(SETTLE_MS, program.exited),
    ]);
    if (broken !== null) return broken;
    if (exit === null) return "It closed its output.";
    return exit.signal === null ? `It exited with code ${exit.code}.` : `It was ended by ${exit.signal}.`;
  };
  const ended = whenEnded();

  let closing: Promise<void> | null = null;
  return {
    ended,
    request: async (method, body) => {
      const failed = ended.then((reason) => {
        throw new AgentEnded(reason);
      });
      failed.catch(() => {});
      try {
        return await Promise.race([connection.agent.request<unknown>(method, body), failed]);
      } catch (error) {
        // The SDK gives up as soon as the output ends; the exit that explains it comes a moment later.
        if (connection.signal.aborted) throw new AgentEnded(await ended);
        throw error;
      }
    },
    notify: (method, body) => void connection.agent.notify(method, body).catch(() => {}),
    stderr: () => stderr.text(),
    kill: () => program.kill(),
    close: () => {
      closing ??= endProgram(program, () => within(CLOSE_GRACE_MS, program.exited)).finally(() =>
        connection.close(),
      );
      return closing;
    },
  };
}

/** Agents store their session when their input ends; one that does not exit then is killed. */
async function endProgram(program: AgentProcess, settle: () => Promise<unknown>): Promise<void> {
  program.stdin.end();
  await settle();
  await program.kill();
}
