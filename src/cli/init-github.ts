import os from "node:os";
import path from "node:path";
import {
  AppError,
  resolveHome,
  systemClock,
  systemProcessRunner,
  systemRandom,
  type Home,
} from "../base/index.ts";
import { loadSecrets, loadSettings, type Settings } from "../main/index.ts";
import { createGit } from "../repositories/index.ts";
import { loadGitHub } from "../sources/index.ts";
import type { CommandContext } from "./context.ts";
import { hookSecretNameOf, keepSecrets, keptApps, keyNameOf } from "./github-secrets.ts";
import { proposeConnection, writeConnection } from "./github-settings.ts";

export interface GitHubFlags {
  readonly repo: string;
  readonly repository?: readonly string[];
  readonly organization?: string;
  readonly url?: string;
  readonly publicUrl?: string;
  readonly port?: number;
  readonly timeout: number;
  readonly dryRun?: true;
}

type Context = Pick<CommandContext, "env" | "output">;
type GitHubModule = Awaited<ReturnType<typeof loadGitHub>>;

/** Where and for what the app is to be made. */
interface Wanted {
  readonly webUrl: string;
  readonly apiUrl: string;
  /** `owner/name`, all of one owner. */
  readonly repositories: readonly string[];
  readonly organization: string | null;
  readonly publicUrl: string | null;
}

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * Connects the installation to GitHub as an app of its own: a person registers it there, its key and secret go into `.env`, the rest into
 * `miyabi.yaml`. Killed at any moment it leaves both files whole; what is in `.env` and not yet in `miyabi.yaml` is taken up by the
 * next call.
 * @throws usage.invalid, config.invalid, conflict.state, process.timeout, port.taken, github.refused, github.unavailable
 */
export async function initialiseGitHub({ env, output }: Context, flags: GitHubFlags): Promise<void> {
  const home = resolveHome(env);
  const { settings } = await loadSettings(home);
  if (settings.github?.app !== undefined)
    throw new AppError({
      code: "conflict.state",
      message: `${home.configFile} names the GitHub App ${settings.github.app.id} already.`,
      fix: "miyabi doctor   # or take `app` out of the section `github` to connect with another one",
    });
  const github = await loadGitHub();
  const wanted = await whatIsWanted(github, { env, settings, flags });
  const owner = wanted.repositories[0]?.split("/")[0] ?? "";
  const { apiUrl, repositories, publicUrl } = wanted;
  const connection = (id: number, hook: string | null) => ({
    home,
    apiUrl,
    repositories,
    app: { id, privateKey: keyNameOf(id) },
    publicUrl: hook,
  });
  // Before anything is made on GitHub: what cannot be written, or would not be read again, is said now.
  await proposeConnection(connection(1, publicUrl));
  const registration = {
    webUrl: wanted.webUrl,
    organization: wanted.organization,
    name: `Miyabi ${owner} ${systemRandom.uuid().slice(0, 4)}`,
    homepage: `${wanted.webUrl}/${repositories[0] ?? ""}`,
    publicUrl,
  };
  if (flags.dryRun === true) {
    const page = github.registrationPage(wanted.webUrl, wanted.organization);
    const manifest = github.manifestOf({ ...registration, redirectUrl: "http://127.0.0.1/github-app" });
    output.result(
      { dryRun: true, page, manifest, files: [home.envFile, home.configFile], repositories },
      [
        `An app with this manifest would be registered at ${page}:`,
        JSON.stringify(manifest, null, 2),
        `Its key would go into ${home.envFile}, its number and ${repositories.join(", ")} into ${home.configFile}.`,
        "Nothing was written.",
      ].join("\n"),
    );
    return;
  }
  const kept = await findKept(github, home, apiUrl);
  const written: string[] = [];
  const app =
    kept ??
    (await github.registerApp({
      ...registration,
      port: flags.port ?? null,
      timeoutMs: flags.timeout * 1_000,
      clock: systemClock,
      random: systemRandom,
      onReady: (url) => void invite({ env, output }, url, flags.timeout),
      keep: async (made) => {
        // The key first: GitHub gives it out once.
        written.push(await keepSecrets({ home, app: made }));
        written.push(...(await writeConnection(connection(made.id, publicUrl), systemClock)));
      },
    }));
  if (kept !== null) {
    output.note(`The app "${kept.slug}" was registered before; its key is in ${home.envFile}.`);
    written.push(
      ...(await writeConnection(connection(kept.id, kept.hasSecret ? publicUrl : null), systemClock)),
    );
  }
  const install = github.installUrl(app);
  const next = ["miyabi doctor", "miyabi up --detach"];
  output.result(
    {
      app: { id: app.id, slug: app.slug, url: app.html_url },
      repositories,
      install,
      written,
      next: [install, ...next],
    },
    [
      ...written.map((file) => `wrote ${file}`),
      "",
      "Next:",
      `  install it on ${repositories.join(", ")}: ${install}`,
      ...next.map((one) => `  ${one}`),
    ].join("\n"),
  );
}

async function whatIsWanted(
  github: GitHubModule,
  { env, settings, flags }: { env: NodeJS.ProcessEnv; settings: Settings; flags: GitHubFlags },
): Promise<Wanted> {
  const configured = settings.github;
  const webUrl = (
    flags.url ?? (configured === undefined ? "https://github.com" : github.webUrlOf(configured.apiUrl))
  ).replace(/\/$/, "");
  const apiUrl = github.apiUrlOf(webUrl);
  const named = flags.repository ?? configured?.repositories.map(({ name }) => name) ?? [];
  const repositories = named.length > 0 ? named : await originOf(github, env, flags.repo, webUrl);
  const owners = new Set(repositories.map((name) => name.split("/")[0]?.toLowerCase()));
  if (repositories.length === 0 || owners.size > 1)
    throw new AppError({
      code: "usage.invalid",
      message:
        repositories.length === 0
          ? `Which repository? ${path.resolve(flags.repo)} has no remote "origin" on ${webUrl}.`
          : `An app is installed on the account that owns it alone; ${repositories.join(", ")} have several owners.`,
      fix: "miyabi init --github --repository owner/name",
    });
  const owner = repositories[0]?.split("/")[0] ?? "";
  const organization = flags.organization ?? ((await github.isOrganization(apiUrl, owner)) ? owner : null);
  return {
    webUrl,
    apiUrl,
    repositories,
    organization,
    publicUrl: flags.publicUrl ?? configured?.webhooks?.publicUrl ?? null,
  };
}

async function originOf(
  github: GitHubModule,
  env: NodeJS.ProcessEnv,
  directory: string,
  webUrl: string,
): Promise<readonly string[]> {
  const git = createGit({ processes: systemProcessRunner, searchPath: env["PATH"] ?? DEFAULT_PATH });
  const { code, stdout } = await git.run({
    cwd: path.resolve(directory),
    args: ["remote", "get-url", "origin"],
  });
  const found = code === 0 ? github.repositoryOf(stdout, webUrl) : null;
  return found === null ? [] : [found];
}

/** An app whose key is in `.env` already: the last call was killed between its two files. Null: none that GitHub still knows. */
async function findKept(github: GitHubModule, home: Home, apiUrl: string) {
  const secrets = await loadSecrets(home);
  for (const { id, privateKey } of keptApps(secrets)) {
    const facts = await github
      .readApp({ apiUrl, id, privateKey, clock: systemClock })
      .catch((error: unknown) => {
        if (error instanceof AppError && ["github.unauthorized", "config.invalid"].includes(error.code))
          return null;
        throw error;
      });
    if (facts !== null) return { ...facts, id, hasSecret: secrets.has(hookSecretNameOf(id)) };
  }
  return null;
}

/** Shows the address, and opens it where there is a screen. With `--json` it is a line of its own on standard error. */
async function invite({ env, output }: Context, url: string, seconds: number): Promise<void> {
  if (output.json) process.stderr.write(`${JSON.stringify({ open: url })}\n`);
  output.note(
    [
      "Open this address in a browser on this machine, and register the app on GitHub:",
      "",
      `  ${url}`,
      "",
      `It waits ${Math.round(seconds / 60)} minutes. From another machine: ssh -L ${new URL(url).port}:127.0.0.1:${new URL(url).port} ${os.hostname()}`,
    ].join("\n"),
  );
  const opener =
    process.platform === "darwin"
      ? "open"
      : (env["DISPLAY"] ?? env["WAYLAND_DISPLAY"]) === undefined
        ? null
        : "xdg-open";
  if (opener === null || output.json || !process.stderr.isTTY) return;
  await systemProcessRunner.run({ command: opener, args: [url], env, timeoutMs: 10_000 }).catch(() => {});
}
