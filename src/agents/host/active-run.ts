import type { Clock } from "../../base/index.ts";
import type { TranscriptItem } from "../../contract/index.ts";
import type { ControlMessage, HostMessage } from "../protocol.ts";
import type { Conversation } from "./conversation.ts";
import { createLease } from "./lease.ts";
import type { Permissions } from "./permissions.ts";
import { createReports } from "./reports.ts";
import { executeRun, type RunTools } from "./run.ts";
import type { RunSpool } from "./spool.ts";
import { createStop } from "./stop.ts";

interface ActiveRunParams {
  readonly spool: RunSpool;
  readonly tools: RunTools;
  readonly send: (message: HostMessage) => boolean;
  readonly show: (item: TranscriptItem) => void;
  readonly clock: Clock;
}

type RunMessage = Extract<
  ControlMessage,
  {
    type:
      | "ack-transcript"
      | "renewed"
      | "cancel"
      | "verdict"
      | "permission-answer"
      | "takeover"
      | "handback"
      | "message";
  }
>;

/** The one run of a host, from its assignment to the acknowledgement of its end. */
export interface ActiveRun {
  readonly spool: RunSpool;
  /** Begins or goes on with the work; once. */
  begin(): void;
  /** A control plane said `continue` (or assigned it). */
  connected(): void;
  disconnected(): void;
  handle(message: RunMessage): void;
  /** Typed into the pane; false where no agent listens. */
  person(text: string): boolean;
  isTakenOver(): boolean;
  /** Ends everything that lives, confirmed, and forgets the run. Nothing is reported. */
  drop(): Promise<void>;
  /** The control plane has its end: forgets the run. */
  forget(): Promise<void>;
}

const TIMEOUT_TICK_MS = 1000;

export function createActiveRun(params: Readonly<ActiveRunParams>): ActiveRun {
  const { spool, tools, clock } = params;
  const { spec } = spool;
  const ofRun = { runId: spec.runId, attempt: spec.attempt };
  const stop = createStop();
  const ended = new AbortController();
  let conversation: Conversation | null = null;
  let permissions: Permissions | null = null;
  /** Somebody asked for the terminal before there was an agent. */
  let isWanted = false;
  let execution: Promise<void> | null = null;
  const waitingMail: Extract<ControlMessage, { type: "message" }>[] = [];

  const reports = createReports({
    spool,
    send: params.send,
    show: params.show,
    clock,
    onFault: () =>
      stop.now({ kind: "limit", code: "disk.full", text: "The host's disk takes no more reports." }),
  });
  const lease = createLease({
    leaseMs: spec.leaseMs,
    isShared: spec.isShared,
    sendRenew: () => params.send({ type: "renew", ...ofRun }),
    clock,
  });

  /** Time in which a person has the clone does not count. */
  const watchTimeout = async (): Promise<void> => {
    let leftMs = spec.timeoutMs;
    while (!ended.signal.aborted && leftMs > 0) {
      const stepMs = Math.min(TIMEOUT_TICK_MS, leftMs);
      await clock.sleep(stepMs, ended.signal).catch(() => {});
      if (conversation?.isTakenOver() !== true) leftMs -= stepMs;
    }
    if (!ended.signal.aborted && spool.state.worked === null)
      stop.now({
        kind: "timeout",
        text: `The run took longer than ${Math.round(spec.timeoutMs / 1000)} s and was ended.`,
      });
  };

  const mail = (message: Extract<ControlMessage, { type: "message" }>): void => {
    if (spool.state.delivered.includes(message.messageId)) return reports.delivered(message.messageId);
    if (conversation !== null) conversation.message(message.messageId, message.from, message.text);
    else waitingMail.push(message);
  };

  const finish = async (): Promise<void> => {
    await execution;
    ended.abort();
    await spool.remove();
  };

  return {
    spool,
    begin: () => {
      if (execution !== null) return;
      void lease.run(ended.signal);
      void watchTimeout();
      execution =
        spool.state.finished !== null
          ? Promise.resolve()
          : executeRun({
              spool,
              reports,
              lease,
              stop,
              tools,
              onConversation: (talk, asked) => {
                conversation = talk;
                permissions = asked;
                for (const message of waitingMail.splice(0)) mail(message);
                if (isWanted) talk.takeOver();
              },
            });
    },
    connected: () => reports.connected(),
    disconnected: () => reports.disconnected(),
    handle: (message) => {
      switch (message.type) {
        case "ack-transcript":
          return reports.acked(message.seq);
        case "renewed":
          return lease.confirm();
        case "cancel":
          return stop.now({ kind: "cancel", text: message.reason });
        case "verdict":
          return conversation?.verdict(message.verdict);
        case "permission-answer":
          return permissions?.answer(message.requestId, message.optionId);
        case "takeover":
          isWanted = true;
          return conversation?.takeOver();
        case "handback":
          isWanted = false;
          return conversation?.handBack();
        case "message":
          return mail(message);
      }
    },
    person: (text) => {
      if (conversation === null || spool.state.worked !== null) return false;
      conversation.person(text);
      return true;
    },
    isTakenOver: () => conversation?.isTakenOver() ?? false,
    drop: async () => {
      stop.now({ kind: "lost" });
      reports.disconnected();
      await finish();
    },
    forget: finish,
  };
}
