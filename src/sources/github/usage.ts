import type { Database } from "../../store/index.ts";
import type { Budget, BudgetState } from "./budget.ts";
import type { WritePace, WriteState } from "./write-pace.ts";

/** What is left of GitHub's limits, for people and metrics. */
export interface GitHubUsage {
  /** Requests; null before the first reply. */
  readonly requests: BudgetState | null;
  /** Milliseconds that GitHub asked us to ask nothing; 0: it did not. */
  readonly pauseMs: number;
  /** Null: the server does not limit what is written. */
  readonly writes: WriteState | null;
  /** Effects in the outbox that are due and not brought about. */
  readonly waiting: number;
  /** Repositories in which our credential may not write check runs: those are left out. */
  readonly withoutChecks: readonly string[];
}

export async function readUsage(
  database: Database,
  { budget, pace }: Readonly<{ budget: Budget; pace: WritePace }>,
): Promise<GitHubUsage> {
  const { rows } = await database.query<{ waiting: number; refused: readonly string[] }>(
    `select (select count(*)::int from miyabi.outbox where state = 'pending' and due_at <= now()) as waiting,
       (select coalesce(array_agg(name order by name), '{}') from miyabi.github_repositories where checks_refused is not null) as refused`,
  );
  return {
    requests: budget.state(),
    pauseMs: budget.pauseMs(),
    writes: await pace.state(),
    waiting: rows[0]?.waiting ?? 0,
    withoutChecks: rows[0]?.refused ?? [],
  };
}
