import { z } from "zod";
import { transcriptItem } from "../../contract/index.ts";
import { runOutcome, sandboxIdentity } from "../protocol.ts";

/** One line of a run's journal. The state of a run is what these lines say, one after the other. */
export const spoolRecord = z.discriminatedUnion("type", [
  z.object({ type: z.literal("item"), item: transcriptItem }),
  /** The control plane stored all items up to `seq`. */
  z.object({ type: z.literal("acked"), seq: z.number().int() }),
  /** Written right after a sandbox was started: whoever finds this run kills it first. */
  z.object({ type: z.literal("sandbox"), sandbox: sandboxIdentity }),
  z.object({
    type: z.literal("started"),
    sandbox: sandboxIdentity.nullable(),
    agentSessionId: z.string().nullable(),
    resumed: z.boolean(),
  }),
  z.object({ type: z.literal("delivered"), messageId: z.string() }),
  z.object({ type: z.literal("verdict"), verdict: z.string(), notes: z.string().nullable() }),
  z.object({ type: z.literal("taken-over") }),
  z.object({ type: z.literal("handed-back"), commits: z.string() }),
  /** Agent or commands are through with this result; only the hand-over is missing. */
  z.object({ type: z.literal("worked"), result: runOutcome }),
  z.object({ type: z.literal("finished"), result: runOutcome }),
]);
export type SpoolRecord = z.infer<typeof spoolRecord>;
