import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/core";
import type { z } from "zod";
import { AppError, type Clock, type Log } from "../../base/index.ts";
import { gitHubError } from "./client-errors.ts";
import { createBudget, type Budget } from "./budget.ts";
import type { GitHubSettings } from "./settings.ts";
import { isMutation, urgencyOf, type Urgency, type WritePace } from "./write-pace.ts";

type Params = Readonly<Record<string, unknown>>;

/** What a list was when it was asked for last, for a request that costs nothing when nothing changed. */
export type Conditional<T> =
  { readonly modified: false } | { readonly modified: true; readonly data: T; readonly etag: string | null };

/** GitHub's API with the rights that one repository's owner gave us. */
export interface GitHubClient {
  /**
   * One call, its reply checked. `route` as in GitHub's documentation, e.g. `GET /repos/{owner}/{repo}/issues`.
   * @throws github.unavailable, github.rate_limited (`retryAfterMs`), github.forbidden, github.refused (`status`), not_found
   */
  call<T>(route: string, params: Params, reply: z.ZodType<T>): Promise<T>;
  /** All pages of a list, at most `maxPages` of 100. */
  list<T>(route: string, params: Params, reply: z.ZodType<T>, maxPages?: number): Promise<readonly T[]>;
  /** A call that is free when nothing changed since `etag`. */
  ifChanged<T>(
    route: string,
    params: Params,
    etag: string | null,
    reply: z.ZodType<T>,
  ): Promise<Conditional<T>>;
  graphql<T>(query: string, variables: Params, reply: z.ZodType<T>): Promise<T>;
  /** Value of the Authorization header for one git operation. */
  gitAuthorization(): Promise<string>;
}

export interface GitHubConnection {
  /** The client for a repository; with an app, that of its installation there. */
  forRepository(name: string): Promise<GitHubClient>;
  /** Login that our own comments and pull requests carry. */
  ownLogin(): Promise<string>;
  readonly budget: Budget;
}

interface ConnectionParams {
  readonly settings: GitHubSettings;
  readonly readSecret: (name: string) => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget?: Budget;
  /** Absent: who connects only reads. */
  readonly pace?: Pick<WritePace, "write">;
}

const TIMEOUT_MS = 30_000;
const API_VERSION = "2022-11-28";

/** @throws config.invalid where a secret is missing. */
export function createGitHubConnection(params: Readonly<ConnectionParams>): GitHubConnection {
  const { settings, clock } = params;
  const budget = params.budget ?? createBudget({ clock });
  const secret = (name: string): string => {
    const value = params.readSecret(name);
    if (value === undefined || value === "")
      throw new AppError({
        code: "config.invalid",
        message: `github: ${name} is not set.`,
        fix: `Add a line ${name}=… to .env beside miyabi.yaml.`,
        details: { field: "github", name },
      });
    return value.replaceAll("\\n", "\n");
  };
  const shared = { baseUrl: settings.apiUrl, request: { fetch: timedFetch }, userAgent: "miyabi-orchestra" };
  const { app, token } = settings;
  const whole = app === undefined ? new Octokit({ ...shared, auth: secret(token ?? "") }) : null;
  const asApp =
    app === undefined
      ? null
      : new Octokit({
          ...shared,
          authStrategy: createAppAuth,
          auth: { appId: app.id, privateKey: secret(app.privateKey) },
        });
  const installations = new Map<string, Promise<GitHubClient>>();
  let login: Promise<string> | null = null;

  const installationOf = async (name: string): Promise<GitHubClient> => {
    const [owner = "", repo = ""] = name.split("/");
    const found = await guarded(params, budget, async () =>
      asApp?.request("GET /repos/{owner}/{repo}/installation", { owner, repo }),
    );
    const installationId = (found?.data as { id?: number } | undefined)?.id;
    const octokit = new Octokit({
      ...shared,
      authStrategy: createAppAuth,
      auth: { appId: app?.id, privateKey: secret(app?.privateKey ?? ""), installationId },
    });
    return createClient(params, budget, octokit, async () => {
      const { token: made } = (await octokit.auth({ type: "installation", repositoryNames: [repo] })) as {
        token: string;
      };
      return made;
    });
  };

  return {
    budget,
    forRepository: (name) => {
      if (whole !== null)
        return Promise.resolve(
          createClient(params, budget, whole, () => Promise.resolve(secret(token ?? ""))),
        );
      const owner = name.split("/")[0]?.toLowerCase() ?? "";
      const known = installations.get(owner);
      if (known !== undefined) return known;
      const opened = installationOf(name);
      installations.set(owner, opened);
      // A refusal is not for ever: the app may be installed in the meantime.
      opened.catch(() => installations.delete(owner));
      return opened;
    },
    ownLogin: () => {
      login ??= guarded(params, budget, async () => {
        if (whole !== null) return ((await whole.request("GET /user")).data as { login: string }).login;
        const { data } = await (asApp as Octokit).request("GET /app");
        return `${(data as { slug?: string } | null)?.slug ?? ""}[bot]`;
      });
      login.catch(() => (login = null));
      return login;
    },
  };
}

function createClient(
  params: Readonly<ConnectionParams>,
  budget: Budget,
  octokit: Octokit,
  token: () => Promise<string>,
): GitHubClient {
  const inTurn = <T>(urgency: Urgency | null, work: () => Promise<T>): Promise<T> => {
    const inBudget = (): Promise<T> => guarded(params, budget, work);
    return urgency === null || params.pace === undefined ? inBudget() : params.pace.write(urgency, inBudget);
  };
  const send = (route: string, values: Params, headers: Record<string, string> = {}) =>
    inTurn(urgencyOf(route), async () => {
      const response = await octokit.request(route, {
        ...values,
        headers: { "x-github-api-version": API_VERSION, ...headers },
      });
      budget.note(response.headers);
      requireWhole(route, response);
      return response;
    });
  const client: GitHubClient = {
    call: async (route, values, reply) => checked(route, reply, (await send(route, values)).data),
    list: async (route, values, reply, maxPages = 10) => {
      const all: z.infer<typeof reply>[] = [];
      for (let page = 1; page <= maxPages; page += 1) {
        const response = await send(route, { per_page: 100, ...values, page });
        const data = response.data as unknown;
        const items = Array.isArray(data) ? data : Object.values(data as object).find(Array.isArray);
        for (const item of (items ?? []) as unknown[]) all.push(checked(route, reply, item));
        if (!/rel="next"/.test(response.headers.link ?? "")) break;
      }
      return all;
    },
    ifChanged: async (route, values, etag, reply) => {
      const response = await send(route, values, etag === null ? {} : { "if-none-match": etag });
      if ((response.status as number) === 304) return { modified: false };
      return {
        modified: true,
        data: checked(route, reply, response.data),
        etag: response.headers.etag ?? null,
      };
    },
    graphql: async (query, variables, reply) => {
      const data = await inTurn(isMutation(query) ? "answer" : null, () =>
        octokit.graphql(query, { ...variables }),
      );
      return checked("graphql", reply, data);
    },
    gitAuthorization: async () =>
      `Basic ${Buffer.from(`x-access-token:${await token()}`).toString("base64")}`,
  };
  return client;
}

/** Waits while the server asked us to, and says in our own terms what went wrong. */
async function guarded<T>(
  params: Readonly<ConnectionParams>,
  budget: Budget,
  work: () => Promise<T>,
): Promise<T> {
  budget.requireRoom();
  try {
    return await work();
  } catch (error) {
    const status = (error as { status?: number }).status;
    if (status === 304) return { status: 304, headers: {}, data: null } as T;
    const known = gitHubError(error, params.clock.now());
    budget.noteFailure(known);
    throw known;
  }
}

/**
 * A reply that was cut off comes from octokit as text with a good status. It says nothing of what is there or was done: not that a list
 * is empty, nor that a merge was refused.
 */
function requireWhole(
  route: string,
  { headers, data }: Readonly<{ headers: Readonly<Record<string, unknown>>; data: unknown }>,
): void {
  if (typeof data !== "string" || !/json/.test(String(headers["content-type"]))) return;
  throw new AppError({ code: "github.unavailable", message: `The reply to ${route} was cut off.` });
}

function checked<T>(route: string, reply: z.ZodType<T>, data: unknown): T {
  const parsed = reply.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AppError({
    code: "github.refused",
    message: `The reply to ${route} is not as documented: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
  });
}

const timedFetch: typeof fetch = (input, init) =>
  fetch(input, { ...init, signal: init?.signal ?? AbortSignal.timeout(TIMEOUT_MS) });
