import { Octokit } from "@octokit/core";
import { z } from "zod";
import { AppError, messageOf, type Clock, type Log } from "../../../base/index.ts";
import type { GitHubApp } from "./github-app.ts";
import { basicAuthorization, type Identity } from "./identity.ts";

interface Token {
  readonly token: string;
  readonly authorization: string;
  readonly madeAt: number;
  /** From then on a new one is taken; before it ends, so that no request is on its way with one that ends. */
  readonly renewAt: number;
  readonly permissions: Readonly<Record<string, string>>;
}

/** Tokens of the whole app, by installation: each one's newest, or the one that is on its way. */
export type Tokens = Map<number, Promise<Token>>;

interface InstallationParams {
  readonly app: GitHubApp;
  /** `owner/name` as configured. */
  readonly repository: string;
  readonly shared: Tokens;
  /** What every request of ours has: the server's address, a time limit. */
  readonly octokit: ConstructorParameters<typeof Octokit>[0];
  readonly clock: Clock;
  readonly log: Log;
}

const MARGIN_MS = 5 * 60_000;
// A new token reaches GitHub's replicas a little later than us.
const SETTLES_MS = 5_000;
const TIMES = 3;

const tokenReply = z.object({
  token: z.string().min(1),
  expires_at: z.coerce.date(),
  permissions: z.record(z.string(), z.string()).default({}),
});

/**
 * The identity that the app's installation for a repository gives us. Its tokens last an hour and are renewed before that, and when
 * GitHub refuses one earlier. Push credentials are made for one push, for that repository alone, and revoked after it; where we die
 * before that, they end within the hour.
 */
export function createInstallationIdentity(params: Readonly<InstallationParams>): Identity {
  const { app, clock, shared, repository } = params;
  let installation: Promise<number> | null = null;

  const findInstallation = (): Promise<number> => {
    if (installation !== null) return installation;
    const finding = app.findInstallation(repository).then(({ id }) => id);
    installation = finding;
    // A refusal is not for ever: the app may be installed in the meantime.
    finding.catch(() => (installation = null));
    return finding;
  };
  const make = async (values: object, name = repository): Promise<Token> => {
    const mint = async (): Promise<Token> => {
      const madeAt = clock.now().getTime();
      const reply = await app.ask(
        "POST /app/installations/{installation_id}/access_tokens",
        { installation_id: await findInstallation(), ...values },
        tokenReply,
        name,
      );
      const lastsMs = reply.expires_at.getTime() - madeAt;
      return {
        token: reply.token,
        authorization: `token ${reply.token}`,
        madeAt,
        renewAt: madeAt + lastsMs - Math.min(MARGIN_MS, lastsMs / 2),
        permissions: reply.permissions,
      };
    };
    try {
      return await mint();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "github.not_installed") throw error;
      // Removed and installed again it has another number.
      installation = null;
      return mint();
    }
  };
  const newest = async (): Promise<Token> => {
    const id = await findInstallation();
    const known = shared.get(id);
    if (known !== undefined) {
      const token = await known;
      if (clock.now().getTime() < token.renewAt) return token;
    }
    return renew(id, known);
  };
  /** Whoever comes while one is on its way gets the same. */
  const renew = (id: number, old: Promise<Token> | undefined): Promise<Token> => {
    const present = shared.get(id);
    if (present !== undefined && present !== old) return present;
    const making = make({});
    shared.set(id, making);
    making.catch(() => {
      if (shared.get(id) === making) shared.delete(id);
    });
    return making;
  };

  return {
    authorization: async () => (await newest()).authorization,
    renewed: async (refused, times) => {
      if (times > TIMES) return null;
      const id = await findInstallation();
      const known = shared.get(id);
      const token = await known?.catch(() => null);
      if (token?.authorization !== refused) return (await newest()).authorization;
      if (clock.now().getTime() - token.madeAt >= SETTLES_MS) return (await renew(id, known)).authorization;
      await clock.sleep(times * 1_000);
      return refused;
    },
    requireAccess: async () => void (await app.findInstallation(repository)),
    withGit: async ({ access, repository: name }, work) => {
      const repositories = [name.split("/")[1]];
      if (access === "read") return work(basicAuthorization((await newest()).token));
      const { permissions } = await newest();
      const made = await make(
        {
          repositories,
          permissions: {
            contents: "write",
            // Without it GitHub refuses commits that change workflow files.
            ...(permissions["workflows"] === "write" ? { workflows: "write" } : {}),
          },
        },
        name,
      );
      try {
        return await work(basicAuthorization(made.token));
      } finally {
        await revoke(params, made);
      }
    },
  };
}

async function revoke(
  { octokit, log }: Readonly<InstallationParams>,
  { authorization }: Token,
): Promise<void> {
  try {
    await new Octokit(octokit).request("DELETE /installation/token", { headers: { authorization } });
  } catch (error) {
    log.warn(
      { error: messageOf(error).slice(0, 200) },
      "a push credential could not be revoked; it ends within the hour",
    );
  }
}
