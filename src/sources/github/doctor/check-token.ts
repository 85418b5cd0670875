import type { Clock } from "../../../base/index.ts";
import { suffices, TOKEN_PERMISSIONS } from "../app/permissions.ts";
import type { GitHubRequest, Reply } from "./request.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";
import { permissionFindings, type Granted } from "./permission-findings.ts";

interface CheckTokenParams {
  readonly request: GitHubRequest;
  /** Name of the variable that holds the token. */
  readonly tokenName: string;
  readonly webUrl: string;
  readonly repositories: readonly string[];
  readonly clock: Clock;
}

type Level = Granted[string];

// Each costs a handful of requests; whoever has more has given them to one token or app all the same.
const MOST_REPOSITORIES = 20;
const SOON_MS = 14 * 86_400_000;

/**
 * What a personal token may do. Of a classic one GitHub says it; of a fine-grained one it does not, so each permission is tried: reading by
 * reading, writing by a request without its required fields, which GitHub refuses with 422 where it would be allowed and with 403 where not,
 * and pushing by git's own first question. Nothing is changed.
 */
export async function checkToken(params: Readonly<CheckTokenParams>): Promise<readonly Finding[]> {
  const { request, repositories, webUrl, tokenName } = params;
  const user = await request("GET /user");
  if (user.status !== 200)
    return [
      fail(
        "github",
        `GitHub does not accept the token ${tokenName} (${user.status}${user.said === "" ? "" : `: ${user.said}`}).`,
        `Make a fine-grained token at ${webUrl}/settings/personal-access-tokens/new and put it into .env as ${tokenName}`,
      ),
    ];
  const login = String((user.data as { login?: unknown }).login);
  const scopes = user.headers["x-oauth-scopes"];
  const granted = new Map<string, Granted>();
  for (const name of repositories.slice(0, MOST_REPOSITORIES))
    granted.set(name, await grantedIn(params, name, scopes));
  const unchecked = repositories.length - granted.size;
  return [
    identity(params, login, scopes, user),
    ...permissionFindings({
      needed: TOKEN_PERMISSIONS,
      granted,
      fix: ({ title, level }) =>
        scopes === undefined
          ? `Set ${title} to "${level}" for these repositories: ${webUrl}/settings/personal-access-tokens`
          : `Give the token the scope "repo", and ${login} write access: ${webUrl}/settings/tokens`,
    }),
    ...(unchecked > 0
      ? [ok("github.repositories", `${unchecked} further repositories were not looked at`)]
      : []),
  ];
}

function identity(
  { clock, webUrl }: CheckTokenParams,
  login: string,
  scopes: string | undefined,
  user: Reply,
): Finding {
  const until = Date.parse(user.headers["github-authentication-token-expiration"] ?? "");
  if (until - clock.now().getTime() < SOON_MS)
    return warn(
      "github",
      `The token of ${login} ends on ${new Date(until).toISOString().slice(0, 10)}.`,
      `Make a new one in time: ${webUrl}/settings/personal-access-tokens`,
    );
  return scopes === undefined
    ? ok("github", `fine-grained token of ${login}`)
    : warn(
        "github",
        `classic token of ${login} (${scopes}); it reaches everything that ${login} reaches.`,
        "A fine-grained token or an app reaches only what it is given: miyabi init --github",
      );
}

async function grantedIn(
  { request }: Readonly<CheckTokenParams>,
  name: string,
  scopes: string | undefined,
): Promise<Granted> {
  const at = `/repos/${name}`;
  const repository = await request(`GET ${at}`);
  if (repository.status !== 200) return { metadata: "none" };
  const facts = repository.data as {
    readonly private?: boolean;
    readonly default_branch?: string;
    readonly clone_url?: string;
    readonly permissions?: { readonly push?: boolean };
  };
  if (scopes !== undefined) return ofScopes(scopes, facts);
  const ref = encodeURIComponent(facts.default_branch ?? "HEAD");
  const [issues, readsIssues, pulls, readsPulls, checks, statuses, actions, push, fetch] = await Promise.all([
    request(`POST ${at}/issues`, {}),
    request(`GET ${at}/issues?per_page=1`),
    request(`POST ${at}/pulls`, {}),
    request(`GET ${at}/pulls?per_page=1`),
    request(`GET ${at}/commits/${ref}/check-runs?per_page=1`),
    request(`GET ${at}/commits/${ref}/status?per_page=1`),
    request(`GET ${at}/actions/runs?per_page=1`),
    request.git(facts.clone_url ?? "", "git-receive-pack"),
    request.git(facts.clone_url ?? "", "git-upload-pack"),
  ]);
  const write = (tried: Reply, read: Reply): Level =>
    tried.status === 422 ? "write" : isRefusal(tried) ? reading(read) : "unknown";
  return {
    metadata: "read",
    contents: push.status === 200 ? "write" : isRefusal(push) ? reading(fetch) : "unknown",
    issues: write(issues, readsIssues),
    pull_requests: write(pulls, readsPulls),
    checks: reading(checks),
    statuses: reading(statuses),
    actions: reading(actions),
  };
}

const isRefusal = ({ status }: Reply): boolean => status === 401 || status === 403 || status === 404;
const reading = (reply: Reply): Level =>
  reply.status === 200 ? "read" : isRefusal(reply) ? "none" : "unknown";

/** A scope says what the token may at most; what its owner may in the repository stands beside it. */
function ofScopes(
  scopes: string,
  facts: { readonly private?: boolean; readonly permissions?: { readonly push?: boolean } },
): Granted {
  const names = scopes.split(/,\s*/);
  const reaches = names.includes("repo") || (facts.private === false && names.includes("public_repo"));
  const level: Level = !reaches ? "none" : facts.permissions?.push === false ? "read" : "write";
  const all = ["contents", "issues", "pull_requests", "checks", "statuses", "actions"];
  return {
    metadata: "read",
    ...Object.fromEntries(
      all.map((name) => [name, facts.private === false && !suffices(level, "read") ? "read" : level]),
    ),
  };
}
