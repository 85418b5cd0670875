import type { TranscriptItem } from "../../contract/index.ts";
import type { RunOutcome } from "../protocol.ts";
import type { SpoolRecord } from "./spool-record.ts";

export type SandboxIdentity = Extract<SpoolRecord, { type: "sandbox" }>["sandbox"];
export type Started = Omit<Extract<SpoolRecord, { type: "started" }>, "type">;

/** What a run's journal adds up to. Mutable: it is the memory of one run of one host. */
export interface SpoolState {
  /** Not yet stored by the control plane, by `seq`. */
  unacked: TranscriptItem[];
  unackedBytes: number;
  ackedSeq: number;
  lastSeq: number;
  /** The last items, acknowledged or not, for the pane. */
  recent: TranscriptItem[];
  /** Every sandbox that was started for the run. */
  sandboxes: SandboxIdentity[];
  started: Started | null;
  delivered: string[];
  verdict: { readonly verdict: string; readonly notes: string | null } | null;
  takenOver: boolean;
  handedBack: string | null;
  worked: RunOutcome | null;
  finished: RunOutcome | null;
}

export const RECENT_ITEMS = 40;

export function emptySpoolState(): SpoolState {
  return {
    unacked: [],
    unackedBytes: 0,
    ackedSeq: 0,
    lastSeq: 0,
    recent: [],
    sandboxes: [],
    started: null,
    delivered: [],
    verdict: null,
    takenOver: false,
    handedBack: null,
    worked: null,
    finished: null,
  };
}

/** Bytes that an item counts for in the spool's limit. */
export const itemBytes = (item: TranscriptItem): number => JSON.stringify(item).length;

/** Brings the state up to one more line of the journal. Reading a line twice changes nothing. */
export function applyRecord(state: SpoolState, record: SpoolRecord): void {
  switch (record.type) {
    case "item":
      return applyItem(state, record.item);
    case "acked":
      return applyAcked(state, record.seq);
    case "sandbox":
      state.sandboxes.push(record.sandbox);
      return;
    case "started":
      state.started = {
        sandbox: record.sandbox,
        agentSessionId: record.agentSessionId,
        resumed: record.resumed,
      };
      return;
    case "delivered":
      if (!state.delivered.includes(record.messageId)) state.delivered.push(record.messageId);
      return;
    case "verdict":
      state.verdict = { verdict: record.verdict, notes: record.notes };
      return;
    case "taken-over":
      state.takenOver = true;
      return;
    case "handed-back":
      state.takenOver = false;
      state.handedBack = record.commits;
      return;
    case "worked":
      state.worked = record.result;
      return;
    case "finished":
      state.finished = record.result;
      return;
  }
}

function applyItem(state: SpoolState, item: TranscriptItem): void {
  if (item.seq <= state.lastSeq) return;
  state.lastSeq = item.seq;
  state.recent.push(item);
  if (state.recent.length > RECENT_ITEMS) state.recent.shift();
  if (item.seq <= state.ackedSeq) return;
  state.unacked.push(item);
  state.unackedBytes += itemBytes(item);
}

function applyAcked(state: SpoolState, seq: number): void {
  if (seq <= state.ackedSeq) return;
  state.ackedSeq = seq;
  const kept = state.unacked.filter((item) => item.seq > seq);
  for (const item of state.unacked) if (item.seq <= seq) state.unackedBytes -= itemBytes(item);
  state.unacked = kept;
}

/** The shortest journal that adds up to this state. */
export function recordsOf(state: Readonly<SpoolState>): readonly SpoolRecord[] {
  const items = new Map<number, TranscriptItem>();
  for (const item of [...state.recent, ...state.unacked]) items.set(item.seq, item);
  return [
    { type: "acked", seq: state.ackedSeq },
    ...[...items.values()].sort((a, b) => a.seq - b.seq).map((item) => ({ type: "item" as const, item })),
    ...state.sandboxes.slice(-1).map((sandbox) => ({ type: "sandbox" as const, sandbox })),
    ...(state.started === null ? [] : [{ type: "started" as const, ...state.started }]),
    ...state.delivered.map((messageId) => ({ type: "delivered" as const, messageId })),
    ...(state.verdict === null ? [] : [{ type: "verdict" as const, ...state.verdict }]),
    ...(state.handedBack === null ? [] : [{ type: "handed-back" as const, commits: state.handedBack }]),
    ...(state.takenOver ? [{ type: "taken-over" as const }] : []),
    ...(state.worked === null ? [] : [{ type: "worked" as const, result: state.worked }]),
    ...(state.finished === null ? [] : [{ type: "finished" as const, result: state.finished }]),
  ];
}
