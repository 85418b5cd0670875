import { cleanCut, type Clock } from "../../base/index.ts";
import { cleanBody, type TranscriptBody, type TranscriptItem } from "../../contract/index.ts";
import type { HostMessage, RunOutcome } from "../protocol.ts";
import type { RunSpool } from "./spool.ts";
import type { SandboxIdentity, Started } from "./spool-state.ts";

interface ReportsParams {
  readonly spool: RunSpool;
  /** False where the control plane is away. */
  readonly send: (message: HostMessage) => boolean;
  /** Shows an item to whoever looks at the pane. */
  readonly show: (item: TranscriptItem) => void;
  readonly clock: Clock;
  /** The disk does not take it any more. */
  readonly onFault: (error: unknown) => void;
  /** Unacknowledged items beyond this are not kept. Default 8 MiB. */
  readonly maxUnackedBytes?: number;
}

/**
 * All that a run tells the control plane. Each report is on the disk before it is sent, and is sent again after each
 * reconnect until it is acknowledged; the receiver drops what it has.
 */
export interface Reports {
  /** Adds to the transcript. Control sequences are removed and long texts cut. */
  emit(body: TranscriptBody): void;
  sandboxStarted(sandbox: SandboxIdentity): Promise<void>;
  started(started: Started): void;
  delivered(messageId: string): void;
  verdict(verdict: string, notes: string | null): void;
  takenOver(): void;
  handedBack(commits: string): void;
  /** Resolves when the disk has it: from here on only the hand-over is done again after a crash. */
  worked(result: RunOutcome): Promise<void>;
  /** Resolves when the disk has it: the run's end is decided. */
  finished(result: RunOutcome): Promise<void>;
  /** Once (not spooled): a question that the control plane asks a person. Asked again after a reconnect until `answered`. */
  permission(message: Extract<HostMessage, { type: "permission" }>): void;
  answered(requestId: string): void;
  /** A control plane answered `continue`: everything unacknowledged goes out again. */
  connected(): void;
  disconnected(): void;
  acked(seq: number): void;
}

const BATCH_ITEMS = 200;
const BATCH_BYTES = 256 * 1024;
/** More than this without an acknowledgement waits: a slow receiver must not fill our memory. */
const WINDOW_ITEMS = 2000;
const DEFAULT_MAX_UNACKED_BYTES = 8 * 1024 * 1024;

export function createReports(params: Readonly<ReportsParams>): Reports {
  const { spool } = params;
  const ofRun = { runId: spool.spec.runId, attempt: spool.spec.attempt };
  const maxUnackedBytes = params.maxUnackedBytes ?? DEFAULT_MAX_UNACKED_BYTES;
  const questions = new Map<string, Extract<HostMessage, { type: "permission" }>>();
  let isConnected = false;
  let sentSeq = spool.state.ackedSeq;
  let finishedSent = false;
  let pumping: Promise<void> | null = null;
  let again = false;
  let droppedItems = 0;

  const sendItems = (): boolean => {
    while (sentSeq < spool.state.lastSeq && sentSeq - spool.state.ackedSeq < WINDOW_ITEMS) {
      const items: TranscriptItem[] = [];
      let bytes = 0;
      for (const item of spool.state.unacked) {
        if (item.seq <= sentSeq) continue;
        bytes += JSON.stringify(item).length;
        if (items.length > 0 && (items.length >= BATCH_ITEMS || bytes > BATCH_BYTES)) break;
        items.push(item);
      }
      const last = items.at(-1);
      if (last === undefined) break;
      if (!params.send({ type: "transcript", ...ofRun, items })) return false;
      sentSeq = last.seq;
    }
    return sentSeq >= spool.state.lastSeq;
  };

  const pumpOnce = async (): Promise<void> => {
    const { lastSeq } = spool.state;
    try {
      await spool.flush();
    } catch (error) {
      // What the disk does not take is at least said.
      params.onFault(error);
    }
    if (!isConnected || (lastSeq === 0 && spool.state.finished === null)) return;
    const isThrough = sendItems();
    const { finished } = spool.state;
    if (isThrough && finished !== null && !finishedSent)
      finishedSent = params.send({ type: "finished", ...ofRun, result: finished });
  };
  const pump = (): void => {
    again = true;
    pumping ??= (async () => {
      while (again) {
        again = false;
        await pumpOnce();
      }
    })().finally(() => {
      pumping = null;
    });
  };
  const tell = (message: HostMessage): void => {
    void spool
      .flush()
      .catch(params.onFault)
      .then(() => {
        if (isConnected) params.send(message);
      });
  };
  const startedMessage = (started: Started): HostMessage => ({ type: "started", ...ofRun, ...started });

  const append = (body: TranscriptBody): void => {
    const item = { seq: spool.state.lastSeq + 1, at: params.clock.now().toISOString(), body };
    spool.record({ type: "item", item });
    params.show(item);
  };
  const emit = (raw: TranscriptBody): void => {
    const body = cleanBody(raw, cleanCut);
    const isFull = spool.state.unackedBytes > maxUnackedBytes;
    // The control plane is away and the agent talks on: its words are lost, its deeds are in the clone.
    if (isFull && body.kind !== "end" && body.kind !== "result") {
      droppedItems += 1;
      return;
    }
    if (droppedItems > 0) {
      const text = `${droppedItems} events were not kept while the control plane was away.`;
      droppedItems = 0;
      append({ kind: "notice", level: "warn", text });
    }
    append(body);
    pump();
  };

  return {
    emit,
    sandboxStarted: async (sandbox) => {
      spool.record({ type: "sandbox", sandbox });
      await spool.flush();
    },
    started: (started) => {
      spool.record({ type: "started", ...started });
      tell(startedMessage(started));
    },
    delivered: (messageId) => {
      spool.record({ type: "delivered", messageId });
      tell({ type: "message-delivered", messageId });
    },
    verdict: (verdict, notes) => spool.record({ type: "verdict", verdict, notes }),
    takenOver: () => {
      spool.record({ type: "taken-over" });
      tell({ type: "taken-over", ...ofRun });
    },
    handedBack: (commits) => {
      spool.record({ type: "handed-back", commits });
      tell({ type: "handed-back", ...ofRun, commits });
    },
    worked: async (result) => {
      spool.record({ type: "worked", result });
      await spool.sync();
    },
    finished: async (result) => {
      spool.record({ type: "finished", result });
      await spool.sync().catch(params.onFault);
      pump();
    },
    permission: (message) => {
      questions.set(message.requestId, message);
      if (isConnected) params.send(message);
    },
    answered: (requestId) => void questions.delete(requestId),
    connected: () => {
      isConnected = true;
      sentSeq = spool.state.ackedSeq;
      finishedSent = false;
      const { started, delivered, takenOver, handedBack } = spool.state;
      if (started !== null) tell(startedMessage(started));
      for (const messageId of delivered) tell({ type: "message-delivered", messageId });
      if (handedBack !== null) tell({ type: "handed-back", ...ofRun, commits: handedBack });
      if (takenOver) tell({ type: "taken-over", ...ofRun });
      for (const message of questions.values()) tell(message);
      pump();
    },
    disconnected: () => {
      isConnected = false;
    },
    acked: (seq) => {
      spool.record({ type: "acked", seq: Math.min(seq, spool.state.lastSeq) });
      pump();
    },
  };
}
