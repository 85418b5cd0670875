import type { Permission } from "../contract/index.ts";

/** Who calls, and what they may do. */
export interface Identity {
  /** For people and for the history, e.g. `cli`, `browser`. */
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly via: "cookie" | "token";
}

/**
 * What a route asks for. Beside the contract's permissions: `host` takes the host token, `run-key` is checked by the
 * route itself (gateway, MCP), `public` needs nothing.
 */
export const ACCESS_LEVELS = ["view", "operate", "admin", "prompts", "host", "run-key", "public"] as const;
export type Access = (typeof ACCESS_LEVELS)[number];

/** All that an administrator may do. */
export const ADMIN_PERMISSIONS: readonly Permission[] = ["view", "operate", "admin", "prompts"];

/** Whether the caller may do what asks for `permission`. Each permission is granted by name; none implies another. */
export function allows(identity: Identity, permission: Permission): boolean {
  return identity.permissions.includes(permission);
}

/** Whether untrusted route configuration names a level. */
export function isAccess(value: unknown): value is Access {
  return ACCESS_LEVELS.some((level) => level === value);
}
