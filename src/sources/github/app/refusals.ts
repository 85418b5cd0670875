import { AppError } from "../../../base/index.ts";
import type { AppFacts } from "./github-app.ts";

interface Context {
  readonly id: number;
  readonly keyName: string;
  readonly facts: AppFacts | null;
  /** `owner/name` that was asked about. */
  readonly repository: string | undefined;
}

/** Why GitHub refuses our app, and where a person mends it; null where the failure is another one. */
export function appRefusal(error: unknown, context: Readonly<Context>): AppError | null {
  const { status, response } = error as {
    readonly status?: number;
    readonly response?: { readonly data?: { readonly message?: unknown } };
  };
  const { id, keyName, facts, repository } = context;
  const said = String(response?.data?.message ?? "");
  const name = facts === null ? `GitHub App ${id}` : `GitHub App "${facts.slug}"`;
  if (status === 401)
    return new AppError({
      code: "github.unauthorized",
      message: /integration not found/i.test(said)
        ? `GitHub has no app with the id ${id}: it was deleted, or the id is wrong.`
        : `GitHub does not accept the private key of the ${name}: ${said}`,
      fix: /integration not found/i.test(said)
        ? "miyabi init --github"
        : `Generate a private key in the app's settings on GitHub, put it into .env as ${keyName}, then: miyabi shutdown && miyabi up`,
      details: { status },
    });
  if (status === 403 && isSuspension(said)) return suspended(facts, repository);
  if (status === 404)
    return new AppError({
      code: "github.not_installed",
      message: `The ${name} is not installed on ${repository ?? "this account"}, or its installation does not include this repository.`,
      fix:
        facts === null
          ? "Install the app from its settings on GitHub."
          : `Install it, or add the repository: ${installUrl(facts)}`,
      details: { status, app: id, ...(repository === undefined ? {} : { repository }) },
    });
  if (status === 422 && /permissions requested are not granted/i.test(said))
    return new AppError({
      code: "github.forbidden",
      message: `The installation of the ${name} for ${repository ?? "this account"} may not push: it lacks contents: write.`,
      fix: "Accept the app's new permissions in the settings of its installation on GitHub; see: miyabi doctor",
      details: { status },
    });
  if (status === 422 && /does not exist or is not accessible/i.test(said))
    return new AppError({
      code: "repository.unusable",
      message: `The installation of the ${name} does not include ${repository ?? "this repository"} under this name.`,
      fix: "miyabi doctor",
      details: { status },
    });
  return null;
}

const isSuspension = (said: string): boolean => /installation has been suspended/i.test(said);

function suspended(facts: AppFacts | null, repository: string | undefined): AppError {
  const owner = repository?.split("/")[0];
  return new AppError({
    code: "github.suspended",
    message: `The installation of our GitHub App${facts === null ? "" : ` "${facts.slug}"`}${owner === undefined ? "" : ` on ${owner}`} is suspended.`,
    fix: "Unsuspend it on GitHub: settings of the account, Applications (organizations: GitHub Apps), Configure.",
  });
}

/** The same for a call with an installation's token; null where that is not it. */
export const suspensionIn = (said: string): AppError | null =>
  isSuspension(said) ? suspended(null, undefined) : null;

/** Page on which a person installs the app, or chooses further repositories for it. */
export const installUrl = ({ html_url: url }: Pick<AppFacts, "html_url">): string =>
  `${url}/installations/new`;
