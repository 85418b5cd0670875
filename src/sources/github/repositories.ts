import { createHash } from "node:crypto";
import path from "node:path";
import { AppError, type Clock, type Home } from "../../base/index.ts";
import {
  ensureCache,
  mirrorPathOf,
  shareObjects,
  syncMirror,
  type Git,
  type Remote,
} from "../../repositories/index.ts";
import type { Database } from "../../store/index.ts";
import type { Intake, KnownRepository } from "../intake/index.ts";
import type { GitOperation } from "./app/identity.ts";
import type { GitHubClient, GitHubConnection } from "./client.ts";
import { repositoryReply } from "./replies.ts";
import type { RepositorySettings } from "./settings.ts";

/** A hosted repository that is ready to work on: mirrored, and known to the store. */
export interface HostedRepository {
  readonly settings: RepositorySettings;
  /** `owner/name` as configured, lower case: the key of our rows. `settings.name` is what it is called now. */
  readonly key: string;
  readonly client: GitHubClient;
  readonly repositoryId: string;
  /** As tasks name it; its path is that of the mirror that was made first, maybe on another machine. */
  readonly known: KnownRepository;
  readonly mirrorPath: string;
  readonly cloneUrl: string;
  readonly targetBranch: string;
}

export interface HostedRepositories {
  /** Opens a repository of the configuration; brings its mirror up to date the first time. */
  open(settings: RepositorySettings): Promise<HostedRepository>;
  /** The opened repository with this key or present name, lower case; null where it is not configured. */
  find(key: string): Promise<HostedRepository | null>;
  /** Brings the mirror up to date with the server. */
  sync(repository: HostedRepository): Promise<void>;
  /** Where the target branch stands, as read a moment ago (`upToDateMs`) at most. @throws github.unavailable */
  upToDate(repository: HostedRepository): Promise<string>;
  /** One push to the server; once more under its new name where it was renamed. The credential ends with it. */
  atRemote<T>(repository: HostedRepository, work: (remote: Remote) => Promise<T>): Promise<T>;
  /** Reads anew what the repository is called. */
  reopen(key: string): Promise<HostedRepository | null>;
}

interface HostedRepositoriesParams {
  readonly configured: readonly RepositorySettings[];
  readonly connection: GitHubConnection;
  readonly git: Git;
  readonly home: Home;
  readonly intake: Intake;
  readonly database: Database;
  readonly clock: Clock;
  readonly upToDateMs: number;
}

export function createHostedRepositories(params: Readonly<HostedRepositoriesParams>): HostedRepositories {
  const { connection, git, home, intake, database } = params;
  const heads = new Map<string, { readonly commit: string; readonly at: number }>();
  const opened = new Map<string, Promise<HostedRepository>>();

  const withRemote = <T>(
    { cloneUrl, client, settings }: Pick<HostedRepository, "cloneUrl" | "client" | "settings">,
    access: GitOperation["access"],
    work: (remote: Remote) => Promise<T>,
  ): Promise<T> =>
    client.withGit({ access, repository: settings.name }, (authorization) =>
      work({ url: cloneUrl, authorization }),
    );

  const noteHead = (key: string, commit: string): void =>
    void heads.set(key, { commit, at: params.clock.now().getTime() });

  const openNew = async (settings: RepositorySettings): Promise<HostedRepository> => {
    const client = await connection.forRepository(settings.name);
    const [owner, repo] = settings.name.split("/");
    const facts = await client.call("GET /repos/{owner}/{repo}", { owner, repo }, repositoryReply);
    const targetBranch = settings.branch ?? facts.default_branch;
    const key = settings.name.toLowerCase();
    const before = await readKnown(database, key);
    if (before !== null && before.githubId !== null && before.githubId !== facts.id)
      throw new AppError({
        code: "repository.unusable",
        message: `${settings.name} on GitHub is another repository than the one that was worked with.`,
        fix: "Give the one that is meant its present name in miyabi.yaml, then: miyabi shutdown && miyabi up",
        details: { replaced: true },
      });
    // A rename changes the address, not the mirror.
    const same = before?.targetBranch === targetBranch ? before : null;
    const mirrorPath = mirrorPathOf(
      home,
      same === null ? `${mirrorName(facts.clone_url, targetBranch)}.git` : path.basename(same.path),
    );
    const present = { cloneUrl: facts.clone_url, client, settings: { ...settings, name: facts.full_name } };
    const { commit } = await withRemote(present, "read", (remote) =>
      syncMirror(git, { mirrorPath, remote, branch: targetBranch }),
    );
    noteHead(key, commit);
    const own = await intake.inspect(mirrorPath, targetBranch);
    const known = same === null ? own : { ...own, id: same.id, path: same.path };
    const cache = { repositoryId: known.id, sourcePath: mirrorPath, cachesDir: home.repositoriesDir };
    await shareObjects(git, { cachePath: await ensureCache(git, cache), from: mirrorPath });
    await database.query(
      `with repository as (
         insert into miyabi.repositories (id, name, path, target_branch, remote) values ($1, $2, $3, $4, $5)
         on conflict (id) do update set name = excluded.name, remote = excluded.remote returning id)
       insert into miyabi.github_repositories (name, repository_id, github_id, full_name) select $6, id, $7, $8 from repository
       on conflict (name) do update set repository_id = excluded.repository_id, github_id = excluded.github_id, full_name = excluded.full_name`,
      [
        known.id,
        facts.full_name,
        known.path,
        known.targetBranch,
        JSON.stringify({ kind: "github", name: facts.full_name, cloneUrl: facts.clone_url }),
        key,
        facts.id,
        facts.full_name,
      ],
    );
    return {
      ...present,
      key,
      repositoryId: known.id,
      known,
      mirrorPath,
      targetBranch,
    };
  };

  const open = (settings: RepositorySettings): Promise<HostedRepository> => {
    const key = settings.name.toLowerCase();
    const known = opened.get(key);
    if (known !== undefined) return known;
    const opening = openNew(settings);
    opened.set(key, opening);
    opening.catch(() => opened.delete(key));
    return opening;
  };

  const configured = (key: string): RepositorySettings | undefined =>
    params.configured.find(({ name }) => name.toLowerCase() === key);

  const reopen = async (key: string): Promise<HostedRepository | null> => {
    const settings = configured(key);
    if (settings === undefined) return null;
    opened.delete(key);
    return open(settings);
  };

  const atServer = async <T>(
    repository: HostedRepository,
    access: GitOperation["access"],
    work: (remote: Remote) => Promise<T>,
  ): Promise<T> => {
    try {
      return await withRemote(repository, access, work);
    } catch (error) {
      // git follows no redirects, lest a credential goes elsewhere: we ask under which name it is now.
      if (!(error instanceof AppError) || error.code !== "repository.unusable") throw error;
      const now = await reopen(repository.key);
      if (now === null || now.cloneUrl === repository.cloneUrl) throw error;
      return withRemote(now, access, work);
    }
  };

  const syncNow = (repository: HostedRepository): Promise<string> =>
    atServer(repository, "read", async (remote) => {
      const { mirrorPath, targetBranch: branch } = repository;
      const { commit } = await syncMirror(git, { mirrorPath, remote, branch });
      noteHead(repository.key, commit);
      return commit;
    });

  return {
    open,
    reopen,
    atRemote: (repository, work) => atServer(repository, "push", work),
    find: async (key) => {
      const settings = configured(key) ?? configured(await keyOf(database, key));
      return settings === undefined ? null : open(settings);
    },
    sync: async (repository) => void (await syncNow(repository)),
    upToDate: async (repository) => {
      const known = heads.get(repository.key);
      const age = known === undefined ? null : params.clock.now().getTime() - known.at;
      return known !== undefined && age !== null && age >= 0 && age < params.upToDateMs
        ? known.commit
        : syncNow(repository);
    },
  };
}

interface Known {
  readonly id: string;
  readonly path: string;
  readonly targetBranch: string;
  readonly githubId: number | null;
}

async function readKnown(database: Database, key: string): Promise<Known | null> {
  const { rows } = await database.query<{
    id: string;
    path: string;
    target_branch: string;
    github_id: string | null;
  }>(
    `select r.id, r.path, r.target_branch, g.github_id::text from miyabi.github_repositories g join miyabi.repositories r on r.id = g.repository_id
     where g.name = $1`,
    [key],
  );
  const row = rows[0];
  return row === undefined
    ? null
    : {
        id: row.id,
        path: row.path,
        targetBranch: row.target_branch,
        githubId: row.github_id === null ? null : Number(row.github_id),
      };
}

/** Key of the repository that is called so now; empty where there is none. */
async function keyOf(database: Database, name: string): Promise<string> {
  const { rows } = await database.query<{ name: string }>(
    "select name from miyabi.github_repositories where lower(full_name) = $1",
    [name],
  );
  return rows[0]?.name ?? "";
}

const mirrorName = (cloneUrl: string, branch: string): string =>
  createHash("sha256").update(`${cloneUrl}\n${branch}`).digest("hex").slice(0, 16);
