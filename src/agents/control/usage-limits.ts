import { AppError } from "../../base/index.ts";
import type { Queryable } from "../../store/index.ts";
import type { AgentProfile } from "../profile.ts";

interface UsageLimit {
  readonly profile: string;
  readonly until: Date;
  readonly message: string;
}

/** Notes that a profile's provider does nothing for us before `until`. Of several notes the latest end counts. */
export async function noteUsageLimit(db: Queryable, limit: UsageLimit): Promise<void> {
  await db.query(
    `insert into miyabi.agent_limits as l (profile, until, message) values ($1, $2, $3)
     on conflict (profile) do update set until = excluded.until, message = excluded.message, noted_at = now()
       where l.until < excluded.until`,
    [limit.profile, limit.until, limit.message],
  );
}

/** Limits that still hold, by the database's clock. */
async function currentLimits(db: Queryable): Promise<ReadonlyMap<string, UsageLimit>> {
  const { rows } = await db.query<UsageLimit>(
    "select profile, until, message from miyabi.agent_limits where until > now()",
  );
  return new Map(rows.map((row) => [row.profile, row]));
}

/** No agent that may work on the run has anything left of its usage limit. */
export class UsageLimitReached extends AppError {
  readonly resetAt: Date;

  constructor(limit: UsageLimit) {
    super({ code: "agent.unavailable", message: limit.message });
    this.resetAt = limit.until;
  }
}

interface ChooseParams {
  readonly database: Queryable;
  readonly profileOf: (name: string | null) => AgentProfile;
  /** Profiles that may take over where one's limit is reached, in the order of preference. */
  readonly insteadOf: Readonly<Record<string, readonly string[]>>;
}

/**
 * The wanted profile, or where its usage limit is reached, the first of those that may stand in and are free.
 * @throws UsageLimitReached with the earliest end where there is none; config.invalid for an unknown profile
 */
export async function chooseProfile(
  params: Readonly<ChooseParams>,
  wanted: string | null,
): Promise<AgentProfile> {
  const profile = params.profileOf(wanted);
  const limits = await currentLimits(params.database);
  const reached = limits.get(profile.name);
  if (reached === undefined) return profile;
  const others = params.insteadOf[profile.name] ?? [];
  const free = others.find((name) => !limits.has(name));
  if (free !== undefined) return params.profileOf(free);
  const all = [reached, ...others.flatMap((name) => limits.get(name) ?? [])];
  throw new UsageLimitReached(all.reduce((first, one) => (one.until < first.until ? one : first)));
}
