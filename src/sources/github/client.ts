import { Octokit } from "@octokit/core";
import { z } from "zod";
import { AppError, type Clock, type Log } from "../../base/index.ts";
import type { GitHubApp } from "./app/github-app.ts";
import { createGitHubApp } from "./app/open-app.ts";
import { tokenIdentity, type GitOperation, type Identity } from "./app/identity.ts";
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
  /** Fields that the schema of the server's GraphQL turned out not to have; one set for all clients of a connection. */
  readonly missingFields: Set<string>;
  /** Runs one git operation with the value of an Authorization header that is for this operation. @throws as `call` */
  withGit<T>(operation: GitOperation, work: (authorization: string) => Promise<T>): Promise<T>;
}

export interface GitHubConnection {
  /** The client for a repository; with an app, that of its installation there. */
  forRepository(name: string): Promise<GitHubClient>;
  /** Login that our own comments and pull requests carry. */
  ownLogin(): Promise<string>;
  readonly budget: Budget;
  /** Null: we connect with a personal token. */
  readonly app: GitHubApp | null;
}

interface ConnectionParams {
  readonly settings: GitHubSettings;
  readonly readSecret: (name: string) => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget?: Budget;
  /** Absent: who connects only reads. */
  readonly pace?: Pick<WritePace, "write">;
  /** How long an answer may take. Milliseconds, default 30,000. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
const API_VERSION = "2022-11-28";
const ALWAYS_THERE: ReadonlySet<string> = new Set([
  "GET /repos/{owner}/{repo}",
  "GET /repos/{owner}/{repo}/issues",
]);
const userReply = z.object({ login: z.string() });

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
  const octokit = {
    baseUrl: settings.apiUrl,
    request: { fetch: timedFetch(params.timeoutMs ?? TIMEOUT_MS) },
    userAgent: "miyabi-orchestra",
  };
  const app =
    settings.app === undefined
      ? null
      : createGitHubApp({
          id: settings.app.id,
          privateKey: secret(settings.app.privateKey),
          keyName: settings.app.privateKey,
          octokit,
          clock,
          log: params.log,
        });
  const person = app === null ? tokenIdentity(secret(settings.token ?? "")) : null;
  const plain = new Octokit(octokit);
  const missingFields = new Set<string>();
  const clients = new Map<string, GitHubClient>();
  const clientFor = (name: string): GitHubClient => {
    const known = clients.get(name.toLowerCase());
    if (known !== undefined) return known;
    const identity = person ?? (app as GitHubApp).identityFor(name);
    const made = createClient({ guard: { ...params, budget }, octokit: plain, identity, missingFields });
    clients.set(name.toLowerCase(), made);
    return made;
  };
  let login: Promise<string> | null = null;

  return {
    app,
    budget,
    forRepository: (name) => Promise.resolve(clientFor(name)),
    ownLogin: () => {
      login ??=
        app === null
          ? clientFor("")
              .call("GET /user", {}, userReply)
              .then((user) => user.login)
          : app.facts().then(({ slug }) => `${slug}[bot]`);
      login.catch(() => (login = null));
      return login;
    },
  };
}

interface Guard extends Pick<ConnectionParams, "clock" | "pace"> {
  readonly budget: Budget;
}

interface ClientParams {
  readonly guard: Guard;
  readonly octokit: Octokit;
  readonly identity: Identity;
  readonly missingFields: Set<string>;
}

function createClient({ guard, octokit, identity, missingFields }: Readonly<ClientParams>): GitHubClient {
  const inTurn = <T>(urgency: Urgency | null, work: () => Promise<T>): Promise<T> => {
    const inBudget = (): Promise<T> => guarded(guard, work);
    return urgency === null || guard.pace === undefined ? inBudget() : guard.pace.write(urgency, inBudget);
  };
  const request = (route: string, values: Params, headers: Readonly<Record<string, string>>) =>
    inTurn(urgencyOf(route), async () => {
      const response = await authorized(identity, (authorization) =>
        octokit.request(route, {
          ...values,
          headers: { "x-github-api-version": API_VERSION, ...headers, authorization },
        }),
      );
      guard.budget.note(response.headers);
      requireWhole(route, response);
      return response;
    });
  const send: typeof request = async (route, values, headers) => {
    try {
      return await request(route, values, headers);
    } catch (error) {
      // What is there for every repository is only missing where the repository is not shown to us.
      if (ALWAYS_THERE.has(route) && error instanceof AppError && error.code === "not_found")
        await identity.requireAccess();
      throw error;
    }
  };
  const client: GitHubClient = {
    missingFields,
    call: async (route, values, reply) => checked(route, reply, (await send(route, values, {})).data),
    list: async (route, values, reply, maxPages = 10) => {
      const all: z.infer<typeof reply>[] = [];
      for (let page = 1; page <= maxPages; page += 1) {
        const response = await send(route, { per_page: 100, ...values, page }, {});
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
      const data = await inTurn(isMutation(query) ? "answer" : null, async () => {
        const found: unknown = await authorized(identity, (authorization) =>
          octokit.graphql(query, { ...variables, headers: { authorization } }),
        );
        // Of a text that breaks off octokit reads the data too, and finds none.
        if (found === undefined) throw cutOff("graphql");
        return found;
      });
      return checked("graphql", reply, data);
    },
    withGit: identity.withGit,
  };
  return client;
}

/** A request; where GitHub does not accept who we are, again with what the identity has instead. */
async function authorized<T>(identity: Identity, request: (authorization: string) => Promise<T>): Promise<T> {
  let authorization = await identity.authorization();
  for (let times = 1; ; times += 1) {
    try {
      return await request(authorization);
    } catch (error) {
      if ((error as { status?: number }).status !== 401) throw error;
      const another = await identity.renewed(authorization, times);
      if (another === null) throw error;
      authorization = another;
    }
  }
}

/** Waits while the server asked us to, and says in our own terms what went wrong. */
async function guarded<T>({ clock, budget }: Guard, work: () => Promise<T>): Promise<T> {
  budget.requireRoom();
  try {
    return await work();
  } catch (error) {
    const status = (error as { status?: number }).status;
    if (status === 304) return { status: 304, headers: {}, data: null } as T;
    const known = gitHubError(error, clock.now());
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
  throw cutOff(route);
}

const cutOff = (route: string): AppError =>
  new AppError({ code: "github.unavailable", message: `The reply to ${route} was cut off.` });

function checked<T>(route: string, reply: z.ZodType<T>, data: unknown): T {
  const parsed = reply.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AppError({
    code: "github.refused",
    message: `The reply to ${route} is not as documented: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
  });
}

const timedFetch =
  (timeoutMs: number): typeof fetch =>
  (input, init) =>
    fetch(input, { ...init, signal: init?.signal ?? AbortSignal.timeout(timeoutMs) });
