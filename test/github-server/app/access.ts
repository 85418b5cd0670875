import type { Reply } from "../routes.ts";
import type { State } from "../state.ts";
import { appOfJwt } from "./jwt.ts";
import { isGranted, neededFor } from "./permissions.ts";
import type { App, Installation, IssuedToken, Permissions } from "./state.ts";

interface Question {
  readonly method: string;
  readonly pathname: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly authorization: string;
}

const refused = (status: number, message: string, headers: Record<string, string> = {}): Reply => ({
  status,
  body: { message, documentation_url: "https://docs.github.com/rest" },
  headers,
});
const NOT_FOUND = refused(404, "Not Found");
const SUSPENDED = refused(403, "This installation has been suspended");

/** Answers requests about apps, and those of callers that may not what they ask for; null: the caller may, go on. */
export function answerAccess(state: State, url: string, question: Question): Reply | null {
  return answerCaller(state, url, question) ?? answerAllowed(question);
}

/** What is looked at or refused after the permission. */
function answerAllowed({ method, pathname, body }: Question): Reply | null {
  if (
    method === "POST" &&
    /^\/repos\/[^/]+\/[^/]+\/(issues|pulls)$/.test(pathname) &&
    body["title"] === undefined
  )
    return refused(422, "Validation Failed");
  return pathname.endsWith("/actions/runs")
    ? { status: 200, body: { total_count: 0, workflow_runs: [] } }
    : null;
}

function answerCaller(state: State, url: string, question: Question): Reply | null {
  const { method, pathname, authorization } = question;
  const conversion = /^\/app-manifests\/([^/]+)\/conversions$/.exec(pathname);
  if (conversion !== null && method === "POST") return convert(state, url, conversion[1] ?? "");
  const [, login] = /^\/users\/([^/]+)$/.exec(pathname) ?? [];
  if (login !== undefined) {
    const type = state.connection.organizations.has(login) ? "Organization" : "User";
    return { status: 200, body: { login, type } };
  }
  const secret = authorization.replace(/^\S+ /, "");
  if (secret.split(".").length === 3) return answerApp(state, url, question, secret);
  if (secret === state.token) return forPerson(state, question);
  const issued = findToken(state, secret);
  if (issued === null) return refused(401, "Bad credentials");
  issued.uses.push(`${method} ${pathname}`);
  if (pathname === "/installation/token" && method === "DELETE") {
    issued.revoked = true;
    return { status: 204, body: null };
  }
  return forInstallation(state, question, issued);
}

/** Status for a request of git: as with the API, by whoever's credential it is. */
export function answerGit(
  state: State,
  { authorization, name, isPush }: { authorization: string | null; name: string; isPush: boolean },
): number {
  const basic = Buffer.from(authorization?.replace(/^Basic /i, "") ?? "", "base64").toString("utf8");
  const secret = /^x-access-token:(.+)$/.exec(basic)?.[1] ?? "";
  const issued = findToken(state, secret);
  const permissions = secret === state.token ? state.connection.personal : (issued?.permissions ?? "none");
  if (permissions === "none") return 401;
  if (issued !== null) {
    issued.uses.push(isPush ? "git-receive-pack" : "git-upload-pack");
    if (issued.repositories?.includes(name.split("/")[1] ?? "") === false) return 404;
    const { installation } = ofToken(state, issued);
    if (installation === undefined || installation.suspendedAt !== null) return 403;
  }
  const needed = isPush ? "contents=write" : "contents=read";
  return permissions === null || isGranted(permissions, needed) ? 200 : 403;
}

function findToken({ connection }: State, secret: string): IssuedToken | null {
  const found = connection.tokens.find(({ token }) => token === secret);
  return found === undefined || found.revoked || found.expiresAt <= Date.now() ? null : found;
}

function ofToken(
  { connection }: State,
  { installation: id }: IssuedToken,
): { readonly installation: Installation | undefined } {
  return { installation: connection.apps.flatMap((app) => app.installations).find((one) => one.id === id) };
}

function forPerson(state: State, question: Question): Reply | null {
  const { personal, scopes } = state.connection;
  if (scopes !== null && question.pathname === "/user")
    return { status: 200, body: { login: state.login }, headers: { "x-oauth-scopes": scopes } };
  return personal === null
    ? null
    : missing(state, question, personal, "Resource not accessible by personal access token");
}

function forInstallation(state: State, question: Question, issued: IssuedToken): Reply | null {
  const { installation } = ofToken(state, issued);
  if (installation === undefined) return refused(401, "Bad credentials");
  if (installation.suspendedAt !== null) return SUSPENDED;
  const [, name] = /^\/repos\/([^/]+\/[^/]+)/.exec(question.pathname) ?? [];
  if (name !== undefined && !covers(installation, name)) return NOT_FOUND;
  if (question.pathname === "/user") return refused(403, "Resource not accessible by integration");
  return missing(state, question, issued.permissions, "Resource not accessible by integration");
}

function missing(
  state: State,
  { method, pathname }: Question,
  permissions: Permissions,
  message: string,
): Reply | null {
  const [, name = "", rest] = /^\/repos\/([^/]+\/[^/]+)(.*)$/.exec(pathname) ?? [];
  if (rest === undefined) return null;
  const number = Number(/^\/issues\/(\d+)/.exec(rest)?.[1]);
  const isPull = (state.repositories.get(name.toLowerCase())?.issues.get(number)?.pull ?? null) !== null;
  const needed = neededFor(method, rest, isPull);
  if (needed === null || isGranted(permissions, needed)) return null;
  return refused(403, message, { "x-accepted-github-permissions": needed });
}

const covers = ({ account, selected }: Installation, name: string): boolean =>
  name.split("/")[0]?.toLowerCase() === account.toLowerCase() &&
  (selected === null || selected.some((one) => one.toLowerCase() === name.toLowerCase()));

/** Routes for an app as itself. */
function answerApp(state: State, url: string, question: Question, jwt: string): Reply {
  const { method, pathname, body } = question;
  const app = appOfJwt(state.connection.apps, jwt);
  if (typeof app === "string") return refused(401, app);
  if (pathname === "/app") return { status: 200, body: appView(app, url) };
  if (pathname === "/app/hook/config")
    return app.hookUrl === null
      ? NOT_FOUND
      : { status: 200, body: { url: app.hookUrl, content_type: "json", insecure_ssl: "0" } };
  if (pathname === "/app/hook/deliveries") return { status: 200, body: app.deliveries };
  const [, name] = /^\/repos\/([^/]+\/[^/]+)\/installation$/.exec(pathname) ?? [];
  if (name !== undefined) {
    const now = state.renamed.get(name.toLowerCase());
    if (now !== undefined) return { status: 301, body: {}, location: `${url}/repos/${now}/installation` };
    const found = app.installations.find((one) => covers(one, name));
    return found === undefined ? NOT_FOUND : { status: 200, body: installationView(app, found, url) };
  }
  const [, id, action] = /^\/app\/installations\/(\d+)(\/access_tokens)?$/.exec(pathname) ?? [];
  const installation = app.installations.find((one) => String(one.id) === id);
  if (installation === undefined) return NOT_FOUND;
  if (action === undefined) return { status: 200, body: installationView(app, installation, url) };
  if (method !== "POST") return NOT_FOUND;
  return installation.suspendedAt === null ? issue(state, installation, body) : SUSPENDED;
}

function issue(state: State, installation: Installation, body: Question["body"]): Reply {
  const wanted = (body["permissions"] ?? null) as Permissions | null;
  const repositories = (body["repositories"] ?? null) as readonly string[] | null;
  if (
    wanted !== null &&
    !Object.entries(wanted).every(([name, level]) => isGranted(installation.permissions, `${name}=${level}`))
  )
    return refused(422, "The permissions requested are not granted to this installation.");
  if (repositories?.some((one) => !state.repositories.has(`${installation.account}/${one}`.toLowerCase())))
    return refused(
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
    );
  const { connection } = state;
  const issuedAt = Date.now();
  const token: IssuedToken = {
    token: `ghs_canary_${connection.tokens.length}_${installation.id}`,
    installation: installation.id,
    permissions: wanted ?? installation.permissions,
    repositories,
    issuedAt,
    expiresAt: issuedAt + connection.tokenLifetimeMs,
    revoked: false,
    uses: [],
  };
  connection.tokens.push(token);
  return {
    status: 201,
    body: {
      token: token.token,
      expires_at: new Date(token.expiresAt).toISOString(),
      permissions: token.permissions,
      repository_selection: repositories === null ? "all" : "selected",
    },
  };
}

/** The code of a manifest for the app that was made of it; once. */
function convert(state: State, url: string, code: string): Reply {
  const app = state.connection.codes.get(code);
  if (app === undefined) return NOT_FOUND;
  state.connection.codes.delete(code);
  return {
    status: 201,
    body: {
      ...appView(app, url),
      pem: app.pem,
      webhook_secret: app.webhookSecret,
      client_id: `Iv1.${app.id}`,
      client_secret: "client-canary-8812",
    },
  };
}

const appView = ({ id, slug, name, owner, permissions, events }: App, url: string): object => ({
  id,
  slug,
  name,
  owner: { login: owner },
  html_url: `${url}/apps/${slug}`,
  permissions,
  events,
});

const installationView = (app: App, one: Installation, url: string): object => ({
  id: one.id,
  app_id: app.id,
  app_slug: app.slug,
  account: { login: one.account },
  permissions: one.permissions,
  events: app.events,
  repository_selection: one.selected === null ? "all" : "selected",
  suspended_at: one.suspendedAt,
  html_url: `${url}/settings/installations/${one.id}`,
});
