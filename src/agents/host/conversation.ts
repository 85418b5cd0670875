import { PassThrough } from "node:stream";
import type { Clock, Log } from "../../base/index.ts";
import type { TranscriptBody } from "../../contract/index.ts";
import type { AgentProcess, AgentSession, OpenAgent, TurnOutcome } from "../driver.ts";
import type { RunOutcome, RunSpec } from "../protocol.ts";
import { brokenTurn, failed, outcomeOf } from "./outcome.ts";
import type { Permissions } from "./permissions.ts";
import type { Reports } from "./reports.ts";
import type { RunSandbox } from "./run-sandbox.ts";
import type { Stop } from "./stop.ts";
import { lendTerminal, type Terminal } from "./takeover.ts";

type AgentPart = NonNullable<RunSpec["agent"]>;

interface ConversationParams {
  readonly spec: RunSpec;
  readonly agent: AgentPart;
  /** Put after the first prompt, e.g. files with conflicts; empty for none. */
  readonly hint: string;
  readonly sandbox: RunSandbox;
  readonly reports: Reports;
  readonly permissions: Permissions;
  readonly openAgent: OpenAgent;
  /** Of the profile; null where it has none. */
  readonly packageDir: string | null;
  readonly terminal: Terminal;
  readonly stop: Stop;
  readonly onOutput: (bytes: number) => void;
  /** Resolves when a control plane is connected. */
  readonly whenConnected: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One agent's work on a run: its session, what it is told, and when it is through. */
export interface Conversation {
  /** Carries the run to its end. Rejects where the run was stopped or the agent could not be started. */
  run(): Promise<RunOutcome>;
  /** Mail for the agent: its next prompt, after the turn that may be under way. */
  message(messageId: string, from: string, text: string): void;
  /** Typed by a person. */
  person(text: string): void;
  /** The control plane took the agent's verdict. */
  verdict(verdict: string): void;
  takeOver(): void;
  handBack(): void;
  isTakenOver(): boolean;
}

const START_TIMEOUT_MS = 60_000;
const CANCEL_GRACE_MS = 3000;
/** The verdict comes on another line than the end of the turn, and after a welcome by a control plane that may be busy. */
const VERDICT_GRACE_MS = 1000;

const REMINDER =
  "Your turn ended, but you have not reported a result. If the work is done (or you cannot go on), call the " +
  "`report_result` tool now with your verdict and notes. If something is left to do, do it first.";

interface Letter {
  readonly messageId: string | null;
  readonly text: string;
}

export function createConversation(params: Readonly<ConversationParams>): Conversation {
  const { agent, spec, reports, stop, clock } = params;
  const seen = new Set<string>();
  let letters: Letter[] = [];
  let undelivered: string[] = [];
  let session: AgentSession | null = null;
  let inTurn = false;
  let wantsTakeover = false;
  let handedBack = Promise.withResolvers<void>();
  let verdict: string | null = null;
  let notes: string | null = null;
  const gotVerdict = Promise.withResolvers<void>();
  /** The agent's session was told the task, in this run or an earlier one. */
  let knowsTask = false;
  /** It was told what this run is for. */
  let isAsked = false;
  let tokensIn: number | null = null;
  let tokensOut: number | null = null;

  const setVerdict = (value: string, text: string | null): void => {
    verdict = value;
    notes = text ?? notes;
    reports.verdict(value, notes);
    gotVerdict.resolve();
  };

  const onEvent = (event: TranscriptBody): void => {
    // Whatever the agent does now, it has read what it was sent.
    for (const messageId of undelivered.splice(0)) reports.delivered(messageId);
    reports.emit(event);
  };

  const open = async (resumeSessionId: string | null): Promise<AgentSession> => {
    let identity: Parameters<Reports["started"]>[0]["sandbox"] = null;
    const opened = await params.openAgent({
      profile: agent.profile,
      run: { runId: spec.runId, taskId: spec.taskId, role: spec.role },
      cwd: params.sandbox.cloneDir,
      home: params.sandbox.homeDir,
      packageDir: params.packageDir,
      gatewayUrl: params.sandbox.gatewayUrl,
      mcpUrl: params.sandbox.mcpUrl,
      resumeSessionId,
      startProcess: async (program) => {
        const handle = await params.sandbox.start(program);
        identity = handle.identity;
        return countOutput(handle, params.onOutput, stop.signal);
      },
      onEvent,
      onPermission: (request, signal) => params.permissions.decide(request, signal),
      signal: stop.signal,
      clock,
      startTimeoutMs: START_TIMEOUT_MS,
    });
    session = opened;
    reports.started({
      sandbox: identity,
      agentSessionId: opened.sessionId,
      resumed: opened.resumed,
    });
    return opened;
  };

  const prompt = async (text: string): Promise<TurnOutcome> => {
    const current = session ?? (await open(null));
    reports.emit({ kind: "prompt", text });
    inTurn = true;
    knowsTask = true;
    isAsked = true;
    const outcome = await current.prompt(text);
    inTurn = false;
    if (outcome.outcome !== "ended") return outcome;
    for (const messageId of undelivered.splice(0)) reports.delivered(messageId);
    tokensIn = add(tokensIn, outcome.tokensIn);
    tokensOut = add(tokensOut, outcome.tokensOut);
    if (outcome.verdict !== null) setVerdict(outcome.verdict, outcome.notes);
    return outcome;
  };

  const takeLetters = (): string | null => {
    if (letters.length === 0) return null;
    const taken = letters;
    letters = [];
    undelivered = taken.flatMap(({ messageId }) => (messageId === null ? [] : [messageId]));
    return taken.map(({ text }) => text).join("\n\n");
  };

  let reminded = false;
  const nextPrompt = async (): Promise<string | null> => {
    const mail = takeLetters();
    if (mail !== null) return mail;
    if (verdict !== null || reminded || agent.profile.driver === "command") return null;
    // Without a control plane its tools do not work; a reminder would be in vain.
    await params.whenConnected(stop.signal);
    await Promise.race([gotVerdict.promise, clock.sleep(VERDICT_GRACE_MS, stop.signal)]);
    if (verdict !== null) return takeLetters();
    reminded = true;
    return takeLetters() ?? REMINDER;
  };

  const firstPrompt = (): string =>
    [
      knowsTask ? "" : agent.summary,
      knowsTask && agent.followUp !== "" ? agent.followUp : agent.prompt,
      params.hint,
    ]
      .filter((part) => part !== "")
      .join("\n\n");

  /** A person works in the clone until the run is handed back; then the agent goes on with what was done. */
  const personsTurn = async (): Promise<string> => {
    const sessionId = session?.sessionId ?? agent.resumeSessionId;
    await session?.close();
    session = null;
    reports.takenOver();
    const commits = await lendTerminal({
      spec,
      profile: agent.profile,
      sessionId,
      packageDir: params.packageDir,
      sandbox: params.sandbox,
      terminal: params.terminal,
      notice: (text) => reports.emit({ kind: "notice", level: "info", text }),
      handedBack: handedBack.promise,
      signal: stop.signal,
    });
    handedBack = Promise.withResolvers();
    wantsTakeover = false;
    const opened = await open(agent.profile.resume === "none" ? null : sessionId);
    reports.handedBack(commits);
    const did = commits === "" ? "They committed nothing." : `Their commits:\n${commits}`;
    const text = `A person took over your clone for a while and handed it back. ${did}\nLook at the state of the clone, then go on with your task.`;
    knowsTask &&= opened.resumed;
    return isAsked && knowsTask ? text : `${firstPrompt()}\n\n${text}`;
  };

  const converse = async (): Promise<RunOutcome> => {
    knowsTask = (await open(agent.resumeSessionId)).resumed;
    let next: string | null = firstPrompt();
    for (;;) {
      if (wantsTakeover) next = await personsTurn();
      if (next === null) break;
      const outcome = await prompt(next);
      stop.signal.throwIfAborted();
      if (wantsTakeover) continue;
      if (outcome.outcome !== "ended") return { ...brokenTurn(outcome), tokensIn, tokensOut };
      next = await nextPrompt();
      stop.signal.throwIfAborted();
    }
    if (verdict === null)
      return {
        ...failed("agent.no_verdict", "The agent ended without reporting a result."),
        tokensIn,
        tokensOut,
      };
    return outcomeOf({
      outcome: "succeeded",
      code: null,
      message: `The agent reported "${verdict}".`,
      verdict,
      notes,
      tokensIn,
      tokensOut,
    });
  };

  return {
    run: async () => {
      try {
        return await converse();
      } finally {
        await session?.close();
      }
    },
    message: (messageId, from, text) => {
      if (seen.has(messageId)) return;
      seen.add(messageId);
      letters.push({ messageId, text: `Message from ${from}:\n\n${text}` });
    },
    person: (text) => {
      reports.emit({ kind: "person", text });
      letters.push({ messageId: null, text });
    },
    verdict: (value) => setVerdict(value, null),
    takeOver: () => {
      if (wantsTakeover) return;
      wantsTakeover = true;
      if (inTurn) void session?.cancel(CANCEL_GRACE_MS).catch(() => {});
    },
    handBack: () => {
      if (wantsTakeover) handedBack.resolve();
    },
    isTakenOver: () => wantsTakeover,
  };
}

const add = (sum: number | null, more: number | null): number | null =>
  more === null ? sum : (sum ?? 0) + more;

/** The agent's program with every byte it prints counted. Once the run is stopped nothing more is read into memory: its end may take a while. */
function countOutput(
  process: AgentProcess,
  onOutput: (bytes: number) => void,
  stopped: AbortSignal,
): AgentProcess {
  const counted = [process.stdout, process.stderr].map((stream) => {
    const through = new PassThrough();
    stream.on("error", (error) => through.destroy(error));
    const discard = (): void => {
      stream.unpipe(through);
      stream.resume();
      through.end();
    };
    stopped.addEventListener("abort", discard, { once: true });
    stream.once("close", () => stopped.removeEventListener("abort", discard));
    stream.pipe(through);
    // After the pipe's own listener: the chunk that goes beyond the limit ends the pipe, and is through by then.
    stream.on("data", (chunk: Buffer) => onOutput(chunk.length));
    return through;
  });
  const [stdout = process.stdout, stderr = process.stderr] = counted;
  return { stdin: process.stdin, stdout, stderr, exited: process.exited, kill: () => process.kill() };
}
