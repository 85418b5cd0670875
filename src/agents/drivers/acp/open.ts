import { AppError } from "../../../base/index.ts";
import type { AgentProcess, AgentSession, DriverParams, OpenAgent } from "../../driver.ts";
import { classifyFailure } from "../failure.ts";
import { fillCommand, fillPlaceholders, type PlaceholderValues } from "../placeholders.ts";
import { writePrivateFile } from "../private-files.ts";
import { AgentEnded, openConnection, type AcpConnection } from "./connection.ts";
import { describeError } from "./describe-error.ts";
import { openAcpSession } from "./handshake.ts";
import { sessionNotification } from "./messages.ts";
import { answerPermission } from "./permission.ts";
import { createAcpSession } from "./session.ts";
import { createUpdateMapper } from "./update-mapper.ts";

/**
 * Opens a session with an agent that speaks the Agent Client Protocol v1 over its standard input and output.
 * `session/update` becomes transcript events. Permission requests go to `onPermission`; its `permission` events are the host's.
 * @throws agent.protocol where the program does not speak the protocol, exits at once or stays silent; its details hold
 * `failure` (`quota`, `authentication` or `other`) and `resetAt` (ISO instant or null).
 */
export const openAcpAgent: OpenAgent = async (params) => {
  const values: PlaceholderValues = {
    gateway: params.gatewayUrl,
    mcp: params.mcpUrl,
    home: params.home,
    cwd: params.cwd,
    model: params.profile.model,
    session: params.resumeSessionId,
    package: params.packageDir,
  };
  for (const [file, content] of Object.entries(params.profile.files))
    await writePrivateFile(params.home, file, fillPlaceholders(content, values));
  const program = await params.startProcess(fillCommand(params.profile, values));
  return openOn(program, params);
};

async function openOn(program: AgentProcess, params: Readonly<DriverParams>): Promise<AgentSession> {
  const { profile, clock, onEvent } = params;
  const mapper = createUpdateMapper({ clock, onEvent });
  let turn: AbortSignal | null = null;
  let sessionId: string | null = null;
  const connection = openConnection({
    process: program,
    clock,
    onNotification: (method, raw) => {
      if (method !== "session/update") return;
      const notification = sessionNotification.safeParse(raw);
      if (!notification.success) return;
      if (sessionId === null || notification.data.sessionId === sessionId)
        mapper.update(notification.data.update);
    },
    onPermission: (raw, signal) =>
      answerPermission(
        raw,
        params.onPermission,
        AbortSignal.any([signal, params.signal, ...(turn === null ? [] : [turn])]),
      ),
    onStray: (text) =>
      onEvent({ kind: "notice", level: "warn", text: `${profile.title} printed: ${JSON.stringify(text)}` }),
  });
  const onAbort = (): void => void program.kill().catch(() => {});
  params.signal.addEventListener("abort", onAbort, { once: true });
  if (params.signal.aborted) onAbort();
  const timer = new AbortController();
  try {
    const opened = await Promise.race([
      openAcpSession({ ...params, connection, setReplaying: mapper.setReplaying }),
      silence(params, timer.signal),
    ]);
    sessionId = opened.sessionId;
    mapper.endTurn("Interrupted: the agent was restarted.");
    return createAcpSession({
      ...opened,
      connection,
      profile,
      clock,
      mapper,
      onEvent,
      setTurn: (signal) => {
        turn = signal;
      },
      onClosed: () => params.signal.removeEventListener("abort", onAbort),
    });
  } catch (error) {
    params.signal.removeEventListener("abort", onAbort);
    const failure = startError(error, params, connection);
    await program.kill();
    await connection.close();
    throw failure;
  } finally {
    timer.abort();
  }
}

async function silence(
  { clock, startTimeoutMs }: Readonly<DriverParams>,
  signal: AbortSignal,
): Promise<never> {
  await clock.sleep(startTimeoutMs, signal);
  throw new AgentEnded(`It did not open a session within ${startTimeoutMs / 1_000} s.`);
}

function startError(error: unknown, params: Readonly<DriverParams>, connection: AcpConnection): AppError {
  const { title } = params.profile;
  const stderr = connection.stderr();
  const reason = describeError(error);
  const failure = classifyFailure(`${reason}\n${stderr}`, params.clock.now());
  const said = stderr === "" ? "" : `\nIts standard error ends with:\n${stderr}`;
  return new AppError({
    code: "agent.protocol",
    message:
      failure.kind === "authentication"
        ? `${title} is not signed in or its key was refused: ${reason}${said}`
        : `${title} could not be started: ${reason}${said}`,
    fix: "Run `miyabi doctor`, or try another agent.",
    details: {
      failure: failure.kind,
      resetAt: failure.kind === "quota" ? (failure.resetAt?.toISOString() ?? null) : null,
    },
    cause: error,
  });
}
