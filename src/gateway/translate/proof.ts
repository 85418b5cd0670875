import { z } from "zod";
import { parseJson } from "../../base/index.ts";
import { SPOKEN, type Proof, type Spoken } from "./conversation.ts";

/** Begins a foreign proof in the field where a dialect keeps its own. */
export const PROOF_MARK = "miyabi.1.";
const sealed = z.object({
  of: z.enum(SPOKEN),
  value: z.string(),
  id: z.string().nullable(),
  redacted: z.boolean(),
});

/** The text for a dialect's own field: its own proof as it is, another's wrapped, so that the caller brings it back. */
export function proofText(proof: Proof, own: Spoken): string {
  if (proof.of === own) return proof.value;
  return PROOF_MARK + Buffer.from(JSON.stringify(proof)).toString("base64url");
}

/** Reads such a field back. */
export function proofOf(text: string, own: Spoken, rest: Pick<Proof, "id" | "redacted">): Proof {
  if (text.startsWith(PROOF_MARK)) {
    const wrapped = sealed.safeParse(
      parseJson(Buffer.from(text.slice(PROOF_MARK.length), "base64url").toString("utf8")),
    );
    if (wrapped.success) return wrapped.data;
  }
  return { of: own, value: text, ...rest };
}
