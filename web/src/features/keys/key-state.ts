import type { GatewayKeyView } from "../../../../src/contract/index.ts";
import type { KeyState } from "../../ui/state-look.ts";
import type { KeySearch } from "./key-search.ts";

export function keyState(
  { revokedAt, expiresAt }: Pick<GatewayKeyView, "revokedAt" | "expiresAt">,
  nowMs: number,
): KeyState {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && Date.parse(expiresAt) <= nowMs ? "expired" : "active";
}

/** Whether a key is among those that are looked for. */
export function fitsKeySearch(key: GatewayKeyView, search: KeySearch, nowMs: number): boolean {
  const { state = "active", kind, q } = search;
  const isActive = keyState(key, nowMs) === "active";
  if (state !== "all" && isActive !== (state === "active")) return false;
  if (kind !== undefined && key.kind !== kind) return false;
  if (q === undefined) return true;
  const text = [key.id, key.name, key.team ?? "", key.start, key.taskId ?? ""].join("\n").toLowerCase();
  return text.includes(q.toLowerCase());
}
