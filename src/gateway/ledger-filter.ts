import type { CallOutcome } from "./relay/answer.ts";

/** Which calls of the ledger; null: not filtered by it. */
export interface LedgerFilter {
  readonly task: string | null;
  readonly run: string | null;
  readonly key: string | null;
  readonly provider: string | null;
  /** As asked for or as answered. */
  readonly model: string | null;
  readonly outcome: CallOutcome | null;
  /** The call that a caller made and the other steps of its chain. */
  readonly chain: string | null;
  readonly since: Date | null;
}

/** A condition over `miyabi.model_calls` whose placeholders begin at `$first`, and their values. */
export function filterLedger(
  filter: LedgerFilter,
  first: number,
): { readonly condition: string; readonly values: readonly unknown[] } {
  const at = (offset: number): string => `$${first + offset}`;
  return {
    condition: `(${at(0)}::text is null or task_id = ${at(0)}) and (${at(1)}::text is null or run_id = ${at(1)})
       and (${at(2)}::text is null or key_id = ${at(2)}) and (${at(3)}::text is null or provider = ${at(3)})
       and (${at(4)}::text is null or model = ${at(4)} or asked_model = ${at(4)}) and (${at(5)}::text is null or outcome = ${at(5)})
       and (${at(6)}::timestamptz is null or started_at >= ${at(6)})
       and (${at(7)}::uuid is null or id = ${at(7)} or chain_of = ${at(7)})`,
    values: [
      filter.task,
      filter.run,
      filter.key,
      filter.provider,
      filter.model,
      filter.outcome,
      filter.since,
      filter.chain,
    ],
  };
}
