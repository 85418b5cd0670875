import type { Queryable } from "../../store/index.ts";
import type { IntakeOutcome } from "./intake-outcome.ts";
import type { GitHubSettings } from "./settings.ts";

/** An issue that could start as far as everything but room goes. */
export interface Candidate {
  /** Key of the repository. */
  readonly repository: string;
  readonly number: number;
  readonly class: string;
}

/** Room for more tasks: open ones of a repository, and starts within a minute. Issues take it by class, then number. */
export interface Places {
  /** Null: it may start now, and nobody comes before it. */
  holding(db: Queryable, candidate: Candidate): Promise<IntakeOutcome | null>;
  /** Issues that were held and may start now, in their order. */
  next(db: Queryable): Promise<readonly Pick<Candidate, "repository" | "number">[]>;
  /** Why it waits, where in the order, and until when; null where it may start. */
  describe(db: Queryable, candidate: Candidate): Promise<string | null>;
}

/*
 * `here`: place among those that wait in its repository; `place`: among all that have room in theirs. Held ones are ranked
 * together with the candidate, so one that comes later never overtakes.
 */
const RANKED = `
with held as (
  select i.repository, i.number, coalesce(i.intake ->> 'class', 'P2') as class from miyabi.github_issues i
  where i.task_id is null and i.intake ->> 'outcome' in ('full', 'later') and (i.repository, i.number) is distinct from ($2::text, $3::int)
  union all select $2, $3, $4 where $2 is not null),
room as (
  select g.name, $1 - count(t.id) as free from miyabi.github_repositories g
    left join miyabi.tasks t on t.repository_id = g.repository_id and t.state not in ('done', 'failed', 'cancelled')
  where g.name = any($5) group by g.name),
counted as (
  select h.*, room.free, row_number() over (partition by h.repository order by h.class, h.number) as here
  from held h join room on room.name = h.repository),
ranked as (
  select c.*, row_number() over (partition by c.here <= c.free order by c.class, c.number, c.repository) as place from counted c)`;

const STARTED = "from miyabi.tasks where source = 'github' and created_at > now() - interval '60 seconds'";

// The ids of pg's integers of 64 bits come as text; none of these counts is near that.
const STANDING = `${RANKED}
select here::int, free::int, place::int, (select count(*)::int ${STARTED}) as started from ranked where repository = $2 and number = $3`;

const STARTS = `select created_at as at ${STARTED} order by created_at`;

const NEXT = `${RANKED}
select repository, number from ranked where here <= free
  and place <= $6 - (select count(*) ${STARTED})
order by place limit 50`;

const WINDOW_MS = 60_000;

interface Standing {
  readonly here: number;
  readonly free: number;
  readonly place: number;
  /** Starts of the last minute. */
  readonly started: number;
}

export function createPlaces({
  maxOpenTasks,
  maxStartsPerMinute,
  repositories,
}: Pick<GitHubSettings, "maxOpenTasks" | "maxStartsPerMinute" | "repositories">): Places {
  const configured = repositories.map(({ name }) => name.toLowerCase());
  const standingOf = async (db: Queryable, candidate: Candidate): Promise<Standing | null> => {
    const { rows } = await db.query<Standing>(STANDING, [
      maxOpenTasks,
      candidate.repository,
      candidate.number,
      candidate.class,
      configured,
    ]);
    return rows[0] ?? null;
  };
  const isFull = ({ here, free }: Standing): boolean => here > free;
  const isLater = ({ place, started }: Standing): boolean => place + started > maxStartsPerMinute;
  return {
    holding: async (db, candidate) => {
      const standing = await standingOf(db, candidate);
      if (standing === null) return null;
      if (isFull(standing)) return { outcome: "full", limit: maxOpenTasks, class: candidate.class };
      return isLater(standing)
        ? { outcome: "later", limit: maxStartsPerMinute, class: candidate.class }
        : null;
    },
    next: async (db) => {
      const { rows } = await db.query<{ repository: string; number: number }>(NEXT, [
        maxOpenTasks,
        null,
        null,
        null,
        configured,
        maxStartsPerMinute,
      ]);
      return rows;
    },
    describe: async (db, candidate) => {
      const standing = await standingOf(db, candidate);
      if (standing === null) return null;
      const inOrder = (position: number, of: string): string =>
        `It is number ${position} of the issues ${of}: the most urgent class first (this is ${candidate.class}), then the lowest number.`;
      if (isFull(standing))
        return `${maxOpenTasks} tasks of this repository are open, which is the limit. ${inOrder(standing.here, "of this repository that wait")} It starts by itself when there is a place for it.`;
      if (!isLater(standing)) return null;
      const { rows } = await db.query<{ at: Date }>(STARTS);
      const started = rows.map(({ at }) => at);
      const at = startOf({ ...standing, started }, maxStartsPerMinute)
        .toISOString()
        .slice(11, 19);
      return `${maxStartsPerMinute} issues start within a minute at most. ${inOrder(standing.place, "that wait")} It starts by itself at about ${at} UTC.`;
    },
  };
}

/** A start makes room for another one a minute later. */
function startOf(
  { place, started }: Pick<Standing, "place"> & { readonly started: readonly Date[] },
  limit: number,
): Date {
  // Of earlier starts the newest `limit` count, and empty places are taken first.
  const counted = started.slice(-limit);
  const behind = place - 1 - (limit - counted.length);
  const before = counted[behind % limit] ?? counted.at(-1) ?? new Date();
  return new Date(before.getTime() + WINDOW_MS * (1 + Math.floor(behind / limit)));
}
