/** What the console knows about its event stream. */
export interface LiveState {
  readonly phase: "connecting" | "live" | "paused" | "reconnecting" | "asleep";
  /** Id of the newest event that was applied; the stream resumes after it. */
  readonly lastId: string | null;
  /** Instant (this browser's clock, ms) of the last sign of life of the stream. */
  readonly heardAt: number | null;
  /** Server's clock minus ours, in ms. */
  readonly clockOffsetMs: number;
  /** Failed attempts since the stream was last live. */
  readonly failures: number;
}

export type LiveAction =
  | {
      readonly type: "hello";
      readonly at: number;
      readonly serverNow: number;
      readonly lastId: string | null;
    }
  | { readonly type: "event"; readonly at: number; readonly id: string }
  | { readonly type: "heard"; readonly at: number }
  | { readonly type: "lost" }
  | { readonly type: "paused" }
  | { readonly type: "asleep" }
  | { readonly type: "resumed" };

export const INITIAL_LIVE: LiveState = {
  phase: "connecting",
  lastId: null,
  heardAt: null,
  clockOffsetMs: 0,
  failures: 0,
};

/**
 * Next state of the stream. An event whose id is not newer than `lastId` leaves the state identical (`===`):
 * the caller uses that to drop doubles after a reconnect.
 */
export function reduceLive(state: LiveState, action: LiveAction): LiveState {
  switch (action.type) {
    case "hello":
      return {
        ...state,
        phase: "live",
        failures: 0,
        heardAt: action.at,
        clockOffsetMs: action.serverNow - action.at,
        // What came before the first hello is covered by the first fetches; later ones resume after our own id.
        lastId: state.lastId ?? action.lastId,
      };
    case "event":
      if (state.lastId !== null && compareEventIds(action.id, state.lastId) <= 0) return state;
      return { ...state, lastId: action.id, heardAt: action.at };
    case "heard":
      return { ...state, heardAt: action.at };
    case "lost":
      if (state.phase === "paused" || state.phase === "asleep") return state;
      return {
        ...state,
        phase: state.heardAt === null ? "connecting" : "reconnecting",
        failures: state.failures + 1,
      };
    case "paused":
      return { ...state, phase: "paused" };
    case "asleep":
      return state.phase === "paused" ? state : { ...state, phase: "asleep" };
    case "resumed":
      return { ...state, phase: state.heardAt === null ? "connecting" : "reconnecting", failures: 0 };
  }
}

/** Orders ids `<transaction>-<number>`; both parts can exceed 2^53. */
export function compareEventIds(a: string, b: string): number {
  const [aMajor, aMinor] = parts(a);
  const [bMajor, bMinor] = parts(b);
  if (aMajor !== bMajor) return aMajor < bMajor ? -1 : 1;
  if (aMinor === bMinor) return 0;
  return aMinor < bMinor ? -1 : 1;
}

function parts(id: string): readonly [bigint, bigint] {
  const [major = "0", minor = "0"] = id.split("-");
  return [BigInt(major), BigInt(minor)];
}
