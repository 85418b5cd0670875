import type { IncomingMessage } from "node:http";
import type { BudgetLimit } from "../../guard/index.ts";
import type { Dialect, Refusal } from "../dialect.ts";
import type { Endpoint } from "../endpoints.ts";
import type { CallOutcome, Delivered } from "../relay/answer.ts";
import type { AnswerCopy } from "../relay/answer-copy.ts";
import type { AnswerSink } from "../relay/answer-sink.ts";
import type { Watch } from "../relay/watch.ts";
import type { Target } from "../routing/choose-targets.ts";
import type { GatewaySettings } from "../settings.ts";
import type { Caller } from "./caller.ts";

/** One call on its way through the stages. A stage that changes something gives the next one a changed copy. */
export interface Call {
  /** UUID, also of its ledger row. */
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly dialect: Dialect;
  readonly startedAt: Date;
  readonly startedMs: number;
  /** Those of the moment when the call came. */
  readonly settings: GatewaySettings;
  readonly caller: Caller;
  readonly request: IncomingMessage;
  readonly response: AnswerSink;
  readonly watch: Watch;
  readonly body: Buffer;
  /** As the caller asked for it; null: not said. */
  readonly model: string | null;
  /** Of Gemini, e.g. `streamGenerateContent`; null elsewhere. */
  readonly operation: string | null;
  /** With its question mark and without keys, or empty. */
  readonly query: string;
  /** In the order in which they are tried. */
  readonly targets: readonly Target[];
  /** Headers that the answer gets in addition; stages may add to them until it begins. */
  readonly answerHeaders: Record<string, string>;
  /** Keeps what the caller gets; null: nobody wants it. */
  readonly copy: AnswerCopy | null;
  /** What was done to the request's text; null: nothing. */
  readonly trimmed: Trimmed | null;
  /** Told of each try before it begins; left out: nobody wants to know. */
  readonly onTry?: (target: Target) => void;
}

/** What a call is in a chain of calls. */
export interface ChainStep {
  readonly name: "reflect" | "trim" | "hedge";
  readonly step: "draft" | "critique" | "final" | "summary" | "retention" | "lost";
  /** Id of the call that the caller made; of `final` its own. */
  readonly of: string;
}

/** What the trim stage says about a call, for the log. */
export interface Trimmed {
  /** As the caller sent it, and as the provider gets it; as we count them. */
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** Size out / size in. */
  readonly compressRatio: number;
  /** Tokens at the beginning that are the same as in the caller's last request. */
  readonly prefixStableTokens: number | null;
}

/** A try that brought nothing, or a target that was passed over. */
export interface FailedTry {
  readonly provider: string;
  readonly model: string | null;
  /** Of the provider's answer; null: there was none. */
  readonly status: number | null;
  readonly error: string;
}

export interface CallResult extends Omit<Delivered, "outcome"> {
  /** `refused`: by us, before any provider was asked. */
  readonly outcome: CallOutcome | "refused";
  readonly refusal: Refusal | null;
  /** That answered, or was tried last; null: none. */
  readonly target: Target | null;
  /** Tries at providers. */
  readonly attempts: number;
  /** Tries before the last one, and targets that were passed over; left out: none. */
  readonly failedTries?: readonly FailedTry[];
  /** Null: the cache was not used. */
  readonly cache: "hit" | "miss" | "joined" | null;
  /** What is to be charged; null: no budget holds for the call. */
  readonly budget: CallBudget | null;
  /** As the stages left it, for the log. */
  readonly trimmed: Trimmed | null;
  /** Left out: it is no step of a chain. */
  readonly chain?: ChainStep;
}

/** What a call has reserved of which budgets. */
export interface CallBudget {
  readonly limits: readonly BudgetLimit[];
  readonly reservedMicros: number;
}

export type Next = (call: Call) => Promise<CallResult>;
/** A step of the pipeline: answers by itself, or hands over to the next one and may look at what comes back. */
export type Stage = (call: Call, next: Next) => Promise<CallResult>;

/** The stages as one function; the last one must answer. */
export function compose(stages: readonly Stage[], last: Next): Next {
  return stages.reduceRight<Next>((next, stage) => (call) => stage(call, next), last);
}
