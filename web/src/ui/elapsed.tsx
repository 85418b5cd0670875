import { formatDuration } from "./format.ts";
import { useNow } from "./use-now.ts";

export interface ElapsedProps {
  /** ISO instant. */
  readonly from: string;
  /** ISO instant, or null while it runs. */
  readonly to: string | null;
}

/** Length of a span; counts up while it runs. */
export function Elapsed({ from, to }: ElapsedProps) {
  return to === null ? <Running from={from} /> : <>{formatDuration(Date.parse(to) - Date.parse(from))}</>;
}

function Running({ from }: { readonly from: string }) {
  const now = useNow();
  return <>{formatDuration(now - Date.parse(from))}</>;
}
