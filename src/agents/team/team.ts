import { z } from "zod";
import { slotId } from "../../contract/index.ts";

/** One member of the team; `count` members of a kind get the slots `name`, `name-2`, … */
const member = z.strictObject({
  slot: slotId,
  /** Latin name in panes and reports. */
  name: z.string().min(1).max(40),
  nameJa: z.string().min(1).max(40),
  role: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "a role has small letters, digits and dashes"),
  color: z.string().regex(/^#[0-9a-f]{6}$/i, "a colour looks like #b7282e"),
  /** Queues it takes runs from, most wanted first: its role, `check`, `deploy`. Empty: it takes none (the conductor). */
  takes: z.array(z.string()).default([]),
  /** Agent profile; default: the installation's. */
  profile: z.string().optional(),
  count: z.number().int().min(1).max(50).default(1),
});

export const team = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  members: z.array(member).min(1).max(50),
});
export type Team = z.infer<typeof team>;

/** A slot of the running team. */
export interface TeamSlot {
  readonly slot: string;
  readonly name: string;
  readonly nameJa: string;
  readonly role: string;
  readonly color: string;
  readonly takes: readonly string[];
  readonly profile: string | null;
}

const LONGEST_SLOT = 41;

/** The slots of a team, in the order of its members. `machine` stands behind their names: several have the same team. Empty: nothing does. */
export function slotsOf(value: Team, machine = ""): readonly TeamSlot[] {
  const named = (slot: string): string =>
    machine === "" ? slot : `${slot.slice(0, LONGEST_SLOT - machine.length - 1)}-${machine}`;
  const shown = (name: string): string => (machine === "" ? name : `${name} @${machine}`);
  return value.members.flatMap((one) =>
    Array.from({ length: one.count }, (_, index) => ({
      slot: named(index === 0 ? one.slot : `${one.slot}-${index + 1}`),
      name: shown(index === 0 ? one.name : `${one.name} ${index + 1}`),
      nameJa: shown(index === 0 ? one.nameJa : `${one.nameJa} ${index + 1}`),
      role: one.role,
      color: one.color,
      takes: one.takes,
      profile: one.profile ?? null,
    })),
  );
}

/** Every queue that somebody of the team takes runs from. */
export function queuesOf(slots: readonly TeamSlot[]): readonly string[] {
  return [...new Set(slots.flatMap((slot) => slot.takes))];
}
