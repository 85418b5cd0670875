import { AppError } from "../../base/index.ts";
import { bossTeam } from "./boss.ts";
import { miyabiTeam } from "./miyabi.ts";
import type { Team } from "./team.ts";

export { queuesOf, slotsOf, team, type Team, type TeamSlot } from "./team.ts";

const SHIPPED: readonly Team[] = [miyabiTeam, bossTeam];

/** A shipped team template by name. @throws config.invalid naming the known ones. */
export function shippedTeam(name: string): Team {
  const found = SHIPPED.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new AppError({
    code: "config.invalid",
    message: `There is no team template "${name}"; known: ${SHIPPED.map((one) => one.name).join(", ")}.`,
    fix: "Name one of these, or describe your own team under `team:`.",
  });
}
