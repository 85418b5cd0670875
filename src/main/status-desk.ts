import type { Clock } from "../base/index.ts";
import type { ComponentHealth, Reason, StatusView } from "../contract/index.ts";
import type { GitHubUsage } from "../sources/index.ts";
import type { TaskQueries } from "../tasks/index.ts";
import type { AgentDesk } from "./agent-desk.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Domain } from "./domain.ts";
import { githubHealth } from "./github-health.ts";

interface StatusParams {
  readonly domain: Domain;
  readonly reads: TaskQueries;
  readonly agents: AgentDesk;
  readonly deadLetters: Pick<DeadLetters, "count">;
  readonly version: string;
  readonly command: string;
  /** Null where there is room. */
  readonly lackOfDiskRoom: () => Promise<Reason | null>;
  /** Null: no repository of GitHub is configured. */
  readonly gitHubUsage: (() => Promise<GitHubUsage>) | null;
  /** Of the gateway's cache where that is elsewhere than in the database; null: it is there. */
  readonly cacheHealth: () => "ok" | "away" | null;
  readonly sandbox: {
    readonly state: "ok" | "degraded";
    readonly detail: string;
    readonly fix: string | null;
  };
  readonly runtime: {
    readonly state: "ok" | "degraded";
    readonly detail: string;
    readonly fix: string | null;
  };
  readonly clock: Clock;
}

export interface StatusDesk {
  view(range: "24h" | "7d"): Promise<StatusView>;
  health(): Promise<readonly ComponentHealth[]>;
}

/** The overview: what runs, waits and failed, and whether every part is well. */
export function createStatusDesk(params: Readonly<StatusParams>): StatusDesk {
  const startedAt = params.clock.now();
  const health = async (): Promise<readonly ComponentHealth[]> => {
    const database = await params.domain.database.query("select 1").then(
      () => ({ state: "ok" as const, detail: "It answers.", fix: null }),
      () => ({
        state: "down" as const,
        detail: "It does not answer; it is started again.",
        fix: "miyabi doctor",
      }),
    );
    const cache = params.cacheHealth();
    const lack = await params.lackOfDiskRoom();
    const agents = database.state === "ok" ? await params.agents.list() : [];
    const usage = database.state === "ok" ? ((await params.gitHubUsage?.()) ?? null) : null;
    const letters = database.state === "ok" ? await params.deadLetters.count() : 0;
    const down = agents.filter((agent) => agent.state === "down").map((agent) => agent.slot);
    return [
      { name: "database", ...database },
      {
        name: "agents",
        state: down.length === 0 ? "ok" : "degraded",
        detail: down.length === 0 ? `${agents.length} connected.` : `Not connected: ${down.join(", ")}.`,
        fix: down.length === 0 ? null : "miyabi agents",
      },
      {
        name: "disk",
        state: lack === null ? "ok" : "degraded",
        detail: lack?.message ?? "It has room.",
        fix: lack?.fix ?? null,
      },
      ...(cache === null ? [] : [cacheHealth(cache)]),
      ...(usage === null ? [] : [githubHealth(usage, params.clock.now())]),
      {
        name: "dead-letters",
        state: letters === 0 ? "ok" : "degraded",
        detail:
          letters === 0
            ? "Everything could be delivered."
            : `${letters} could not be delivered and were given up.`,
        fix: letters === 0 ? null : "miyabi dead-letters list",
        params: { count: letters },
      },
      { name: "sandbox", ...params.sandbox },
      { name: "panes", ...params.runtime },
    ];
  };
  return {
    health,
    view: async (range) => {
      const [parts, agents, questions, components, demo] = await Promise.all([
        params.reads.overview({ range, now: params.clock.now() }),
        params.agents.list(),
        params.domain.questions.list({ open: true, limit: 50 }),
        health(),
        demoProgress(params.domain),
      ]);
      const { needsYou, ...rest } = parts;
      return {
        ...rest,
        version: params.version,
        command: params.command,
        demo,
        startedAt: startedAt.toISOString(),
        now: params.clock.now().toISOString(),
        needsYou: { questions: questions.items, tasks: needsYou },
        agents: [...agents],
        health: [...components],
      };
    },
  };
}

async function demoProgress(domain: Domain): Promise<StatusView["demo"]> {
  const { rows } = await domain.database.query<{ path: string; done: number; total: number }>(
    `select p.path, count(*) filter (where t.state = 'done')::int as done, count(*)::int as total
     from miyabi.tasks t join miyabi.repositories p on p.id = t.repository_id where t.source = 'sample'
     group by p.path, p.added_at order by p.added_at desc limit 1`,
  );
  const row = rows[0];
  return row === undefined ? null : { repositoryPath: row.path, done: row.done, total: row.total };
}

function cacheHealth(state: "ok" | "away"): ComponentHealth {
  return state === "ok"
    ? { name: "cache", state: "ok", detail: "Redis answers.", fix: null }
    : {
        name: "cache",
        state: "degraded",
        detail: "Redis (gateway.cache.redis) does not answer: model calls go on without the cache.",
        fix: null,
      };
}
