import { PROTOCOL_VERSION } from "@agentclientprotocol/sdk";
import type { TranscriptBody } from "../../../contract/index.ts";
import type { AgentProfile } from "../../profile.ts";
import { AgentEnded, type AcpConnection } from "./connection.ts";
import { initializeResult, sessionState, type InitializeResult, type SessionState } from "./messages.ts";

interface HandshakeParams {
  readonly connection: AcpConnection;
  readonly profile: AgentProfile;
  readonly cwd: string;
  readonly mcpUrl: string;
  readonly resumeSessionId: string | null;
  readonly onEvent: (event: TranscriptBody) => void;
  /** Told while the agent repeats the past of a loaded session. */
  readonly setReplaying: (replaying: boolean) => void;
}

export interface OpenedSession {
  readonly sessionId: string;
  readonly resumed: boolean;
}

/** Brings a started agent to an open session: initialize, authenticate, load, resume or new, mode, model. */
export async function openAcpSession(params: Readonly<HandshakeParams>): Promise<OpenedSession> {
  const { connection, profile } = params;
  const initialized = initializeResult.safeParse(
    await connection.request("initialize", {
      protocolVersion: PROTOCOL_VERSION,
      clientInfo: { name: "miyabi", title: "Miyabi Orchestra", version: "1" },
      clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
    }),
  );
  if (!initialized.success) throw new Error("It answered `initialize` with something else.");
  if (initialized.data.protocolVersion !== PROTOCOL_VERSION)
    throw new Error(
      `It speaks version ${initialized.data.protocolVersion} of the protocol, not ${PROTOCOL_VERSION}.`,
    );
  if (profile.authMethod !== null) await connection.request("authenticate", { methodId: profile.authMethod });
  const opened = await openOrResume(params, initialized.data);
  await setMode(params, opened);
  await setModel(params, opened);
  return { sessionId: opened.sessionId, resumed: opened.resumed };
}

interface Opened extends OpenedSession {
  readonly state: SessionState;
}

async function openOrResume(
  params: Readonly<HandshakeParams>,
  { agentCapabilities }: InitializeResult,
): Promise<Opened> {
  const { connection, profile, resumeSessionId, onEvent } = params;
  if (!agentCapabilities.mcpCapabilities.http)
    onEvent({
      kind: "notice",
      level: "warn",
      text: `${profile.title} takes no MCP server over HTTP, so it cannot report a result or ask a person.`,
    });
  const request = {
    cwd: params.cwd,
    mcpServers: agentCapabilities.mcpCapabilities.http
      ? [{ type: "http", name: "miyabi", url: params.mcpUrl, headers: [] }]
      : [],
    ...(Object.keys(profile.sessionMeta).length > 0 ? { _meta: profile.sessionMeta } : {}),
  };
  if (resumeSessionId !== null) {
    const method = resumeMethod(profile, agentCapabilities);
    const state =
      method === null ? null : await resume(params, method, { ...request, sessionId: resumeSessionId });
    if (state !== null) return { sessionId: resumeSessionId, resumed: true, state };
  }
  const state = sessionState.parse(await connection.request("session/new", request));
  if (typeof state.sessionId !== "string" || state.sessionId === "")
    throw new Error("It answered `session/new` without the id of a session.");
  return { sessionId: state.sessionId, resumed: false, state };
}

type ResumeMethod = "session/resume" | "session/load";

/** What the profile prefers and the agent can do; the other way where it can only that; null where it can neither. */
function resumeMethod(
  profile: AgentProfile,
  capabilities: InitializeResult["agentCapabilities"],
): ResumeMethod | null {
  const { resume: canResume } = capabilities.sessionCapabilities;
  const resumes = canResume !== undefined && canResume !== null && canResume !== false;
  if (profile.resume === "none") return null;
  if (profile.resume === "resume" && resumes) return "session/resume";
  if (capabilities.loadSession) return "session/load";
  return resumes ? "session/resume" : null;
}

/** The resumed session's state, or null where the agent does not have it any more. */
async function resume(
  params: Readonly<HandshakeParams>,
  method: ResumeMethod,
  request: unknown,
): Promise<SessionState | null> {
  params.setReplaying(true);
  try {
    const state = sessionState.safeParse((await params.connection.request(method, request)) ?? {});
    return state.success ? state.data : sessionState.parse({});
  } catch (error) {
    if (error instanceof AgentEnded) throw error;
    params.onEvent({
      kind: "notice",
      level: "warn",
      text: `${params.profile.title} could not continue its session (${error instanceof Error ? error.message : String(error)}); a new one starts.`,
    });
    return null;
  } finally {
    params.setReplaying(false);
  }
}

async function setMode(params: Readonly<HandshakeParams>, opened: Opened): Promise<void> {
  const { mode, title } = params.profile;
  const { modes } = opened.state;
  if (mode === null || modes?.currentModeId === mode) return;
  if (modes?.availableModes.some((available) => available.id === mode) === true)
    await params.connection.request("session/set_mode", { sessionId: opened.sessionId, modeId: mode });
  else if (!(await setOption(params, opened, "mode", mode)))
    params.onEvent({
      kind: "notice",
      level: "warn",
      text: `${title} has no mode "${mode}"; its own is used.`,
    });
}

async function setModel(params: Readonly<HandshakeParams>, opened: Opened): Promise<void> {
  const { model, title } = params.profile;
  // Most agents get their model through the environment or a file of the profile.
  if (model === null || JSON.stringify(params.profile).includes("{model}")) return;
  if (!(await setOption(params, opened, "model", model)))
    params.onEvent({
      kind: "notice",
      level: "warn",
      text: `${title} has no model "${model}"; its own is used.`,
    });
}

/** False where the agent offers no such option with this value. */
async function setOption(
  params: Readonly<HandshakeParams>,
  opened: Opened,
  category: string,
  value: string,
): Promise<boolean> {
  const option = opened.state.configOptions?.find((candidate) => candidate.category === category);
  if (option === undefined) return false;
  if (option.currentValue === value) return true;
  const values = option.options.flatMap((entry) => [entry, ...(entry.options ?? [])]);
  if (!values.some((entry) => entry.value === value)) return false;
  await params.connection.request("session/set_config_option", {
    sessionId: opened.sessionId,
    configId: option.id,
    value,
  });
  return true;
}
