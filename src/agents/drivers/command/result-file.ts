import { z } from "zod";
import { cleanText, cutText, messageOf } from "../../../base/index.ts";
import { readPrivateFile } from "../private-files.ts";

/** Name of the file below the private home that `$MIYABI_RESULT` points to. */
export const RESULT_FILE = "miyabi-result.json";
const MAX_RESULT_BYTES = 256 * 1024;
const MAX_NOTES_BYTES = 20_000;

const result = z.looseObject({
  verdict: z.string().trim().min(1).max(50),
  notes: z.string().default(""),
});

export type CommandResult =
  | { readonly kind: "none" }
  | { readonly kind: "result"; readonly verdict: string; readonly notes: string }
  | { readonly kind: "invalid"; readonly detail: string };

/** What a command agent left in `$MIYABI_RESULT`: `{"verdict": "done", "notes": "…"}`. Untrusted. */
export async function readResult(home: string): Promise<CommandResult> {
  try {
    const text = await readPrivateFile(home, RESULT_FILE, MAX_RESULT_BYTES);
    if (text === null || text.trim() === "") return { kind: "none" };
    const parsed = result.safeParse(JSON.parse(text));
    if (!parsed.success) return { kind: "invalid", detail: z.prettifyError(parsed.error) };
    const { verdict, notes } = parsed.data;
    return {
      kind: "result",
      verdict: cleanText(verdict),
      notes: cutText(cleanText(notes), MAX_NOTES_BYTES),
    };
  } catch (error) {
    return { kind: "invalid", detail: messageOf(error) };
  }
}
