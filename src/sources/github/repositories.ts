import { createHash } from "node:crypto";
import path from "node:path";
import type { Home } from "../../base/index.ts";
import { syncMirror, type Git, type Remote } from "../../repositories/index.ts";
import type { Database } from "../../store/index.ts";
import type { Intake } from "../intake/index.ts";
import type { GitHubClient, GitHubConnection } from "./client.ts";
import { repositoryReply } from "./replies.ts";
import type { RepositorySettings } from "./settings.ts";

/** A hosted repository that is ready to work on: mirrored, and known to the store. */
export interface HostedRepository {
  readonly settings: RepositorySettings;
  /** `owner/name`, lower case: the key of our rows. */
  readonly key: string;
  readonly client: GitHubClient;
  readonly repositoryId: string;
  readonly mirrorPath: string;
  readonly cloneUrl: string;
  readonly targetBranch: string;
}

export interface HostedRepositories {
  /** Opens a repository of the configuration; brings its mirror up to date the first time. */
  open(settings: RepositorySettings): Promise<HostedRepository>;
  /** The opened repository with this key; null where it is no longer configured. */
  find(key: string): Promise<HostedRepository | null>;
  /** Brings the mirror up to date with the server. */
  sync(repository: HostedRepository): Promise<void>;
  /** For one git operation. */
  remoteOf(repository: HostedRepository): Promise<Remote>;
}

interface HostedRepositoriesParams {
  readonly configured: readonly RepositorySettings[];
  readonly connection: GitHubConnection;
  readonly git: Git;
  readonly home: Home;
  readonly intake: Intake;
  readonly database: Database;
}

export function createHostedRepositories(params: Readonly<HostedRepositoriesParams>): HostedRepositories {
  const { connection, git, home, intake, database } = params;
  const opened = new Map<string, Promise<HostedRepository>>();

  const remoteOf = async ({
    cloneUrl,
    client,
  }: Pick<HostedRepository, "cloneUrl" | "client">): Promise<Remote> => ({
    url: cloneUrl,
    authorization: await client.gitAuthorization(),
  });

  const openNew = async (settings: RepositorySettings): Promise<HostedRepository> => {
    const client = await connection.forRepository(settings.name);
    const [owner, repo] = settings.name.split("/");
    const facts = await client.call("GET /repos/{owner}/{repo}", { owner, repo }, repositoryReply);
    const targetBranch = settings.branch ?? facts.default_branch;
    const key = settings.name.toLowerCase();
    const mirrorPath = path.join(home.root, "mirrors", `${mirrorName(facts.clone_url, targetBranch)}.git`);
    await syncMirror(git, {
      mirrorPath,
      remote: await remoteOf({ cloneUrl: facts.clone_url, client }),
      branch: targetBranch,
    });
    const known = await intake.inspect(mirrorPath, targetBranch);
    await database.query(
      `with repository as (
         insert into miyabi.repositories (id, name, path, target_branch, remote) values ($1, $2, $3, $4, $5)
         on conflict (id) do update set name = excluded.name, remote = excluded.remote returning id)
       insert into miyabi.github_repositories (name, repository_id) select $6, id from repository
       on conflict (name) do update set repository_id = excluded.repository_id`,
      [
        known.id,
        settings.name,
        known.path,
        known.targetBranch,
        JSON.stringify({ kind: "github", name: settings.name, cloneUrl: facts.clone_url }),
        key,
      ],
    );
    return {
      settings,
      key,
      client,
      repositoryId: known.id,
      mirrorPath,
      cloneUrl: facts.clone_url,
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

  return {
    open,
    find: async (key) => {
      const settings = params.configured.find(({ name }) => name.toLowerCase() === key);
      return settings === undefined ? null : open(settings);
    },
    sync: async (repository) => {
      await syncMirror(git, {
        mirrorPath: repository.mirrorPath,
        remote: await remoteOf(repository),
        branch: repository.targetBranch,
      });
    },
    remoteOf,
  };
}

const mirrorName = (cloneUrl: string, branch: string): string =>
  createHash("sha256").update(`${cloneUrl}\n${branch}`).digest("hex").slice(0, 16);
