import type { Reason } from "./model.ts";

/** A reason with its English sentence; the console has both languages under `code`. */
export function because(
  code: string,
  message: string,
  params: Reason["params"] = {},
  fix: string | null = null,
): Reason {
  return { code, message, params, fix };
}
