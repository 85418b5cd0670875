import type { RunView } from "../../../../src/contract/index.ts";

/** Tokens of all runs together; null where no run reported any. */
export function sumTokens(
  runs: readonly Pick<RunView, "tokensIn" | "tokensOut">[],
): { readonly in: number; readonly out: number } | null {
  if (runs.every(({ tokensIn, tokensOut }) => tokensIn === null && tokensOut === null)) return null;
  return {
    in: runs.reduce((sum, { tokensIn }) => sum + (tokensIn ?? 0), 0),
    out: runs.reduce((sum, { tokensOut }) => sum + (tokensOut ?? 0), 0),
  };
}
