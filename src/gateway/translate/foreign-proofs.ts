import { PROOF_MARK } from "./proof.ts";

const MARKED = Buffer.from(`"${PROOF_MARK}`);

/**
 * The request without what other providers signed in the same conversation: a provider that gets it as it is checks
 * signatures, and refuses those of others. Unchanged, to the byte, where there is none.
 */
export function withoutForeignProofs(body: Buffer): Buffer {
  if (!body.includes(MARKED)) return body;
  try {
    return Buffer.from(JSON.stringify(cleaned(JSON.parse(body.toString("utf8")))));
  } catch {
    // No JSON, or nested without end: the provider says so better.
    return body;
  }
}

function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isForeignThinking(item)).map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => name !== "thoughtSignature" || !isMarked(inner))
      .map(([name, inner]) => [name, cleaned(inner)]),
  );
}

function isForeignThinking(item: unknown): boolean {
  if (typeof item !== "object" || item === null || !("type" in item)) return false;
  if (item.type === "thinking") return "signature" in item && isMarked(item.signature);
  return item.type === "reasoning" && "encrypted_content" in item && isMarked(item.encrypted_content);
}

const isMarked = (value: unknown): boolean => typeof value === "string" && value.startsWith(PROOF_MARK);
