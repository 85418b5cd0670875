import type { Clock } from "../../base/index.ts";
import { AppError } from "../../base/index.ts";
import type { GitHubClient } from "./client.ts";
import { permissionReply } from "./replies.ts";
import type { RepositorySettings } from "./settings.ts";

/** Who may start, steer and approve: people with write access, and those on the allow-list. */
export interface Trust {
  isTrusted(client: GitHubClient, repository: RepositorySettings, login: string | null): Promise<boolean>;
}

const REMEMBERED_MS = 5 * 60_000;
const WRITERS = ["admin", "maintain", "write"];

export function createTrust({ clock }: Readonly<{ clock: Clock }>): Trust {
  const known = new Map<string, { readonly trusted: boolean; readonly until: number }>();
  return {
    isTrusted: async (client, repository, login) => {
      if (login === null) return false;
      if (repository.trusted.some((one) => one.toLowerCase() === login.toLowerCase())) return true;
      const key = `${repository.name}\n${login}`.toLowerCase();
      const now = clock.now().getTime();
      const remembered = known.get(key);
      if (remembered !== undefined && remembered.until > now) return remembered.trusted;
      const trusted = WRITERS.includes(await permissionOf(client, repository.name, login));
      known.set(key, { trusted, until: now + REMEMBERED_MS });
      return trusted;
    },
  };
}

/** A check that cannot be made is a failure of the caller's work, never a yes. */
async function permissionOf(client: GitHubClient, name: string, login: string): Promise<string> {
  const [owner, repo] = name.split("/");
  try {
    const route = "GET /repos/{owner}/{repo}/collaborators/{username}/permission";
    return (await client.call(route, { owner, repo, username: login }, permissionReply)).permission;
  } catch (error) {
    // Deleted accounts and apps have no permission to ask for.
    if (error instanceof AppError && error.code === "not_found") return "none";
    throw error;
  }
}
