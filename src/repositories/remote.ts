import { access, rename } from "node:fs/promises";
import { AppError, ensurePrivateDirectory, type RunResult } from "../base/index.ts";
import path from "node:path";
import { withWorkDir, type TargetCommit } from "./cache.ts";
import { gitMessage, requireCommitId, resolveCommit, treeOf, type Git, type GitParams } from "./git.ts";
import { runInOwnRepository } from "./locks.ts";

/** A repository on a server. */
export interface Remote {
  /** `https://host/owner/name.git`, without credentials. */
  readonly url: string;
  /** Value of the Authorization header, made for this one operation; null for none. It reaches git's environment only. */
  readonly authorization: string | null;
}

interface MirrorParams {
  /** Our own bare repository; created where it is missing. */
  readonly mirrorPath: string;
  readonly remote: Remote;
  readonly branch: string;
}

interface PushParams {
  /** Repository that has the commit. */
  readonly gitDir: string;
  readonly remote: Remote;
  readonly branch: string;
  readonly commit: string;
  /** Where we left the branch; null where we never pushed it. Anything else there is somebody's work and stays. */
  readonly expectedOld: string | null;
}

export type PushOutcome =
  | { readonly outcome: "pushed" | "already" }
  /** Somebody else moved the branch, to `to`; null where it was deleted. */
  | { readonly outcome: "moved"; readonly to: string | null }
  /** The server does not take it: a protected branch, a hook, a size limit. */
  | { readonly outcome: "refused"; readonly message: string };

const NETWORK_TIMEOUT_MS = 30 * 60_000;

/** Runs git against a server: only http and https, no redirect to another host, the credential in the environment alone. */
function overNetwork(remote: Remote, call: Readonly<GitParams>): GitParams {
  const { protocol } = new URL(remote.url);
  if (protocol !== "https:" && protocol !== "http:")
    throw new AppError({
      code: "config.invalid",
      message: `"${remote.url}" is no http address of a repository.`,
    });
  const config: [string, string][] = [
    [`protocol.${protocol.slice(0, -1)}.allow`, "always"],
    ["http.followRedirects", "false"],
    ["http.lowSpeedLimit", "1000"],
    ["http.lowSpeedTime", "60"],
    ["transfer.fsckObjects", "true"],
    ["credential.helper", ""],
    ...(remote.authorization === null
      ? []
      : [["http.extraHeader", `Authorization: ${remote.authorization}`] as [string, string]]),
  ];
  const env = Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(config.length)],
    ...config.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]) as Record<string, string>;
  return { timeoutMs: NETWORK_TIMEOUT_MS, ...call, env: { ...call.env, ...env } };
}

/**
 * Brings a server's branch into our mirror, which everything else reads as a local repository. Repeatable; a crash leaves the
 * mirror as it was.
 * @throws github.unavailable where the server cannot be reached; repository.unusable where it has no such branch or refuses us.
 */
export async function syncMirror(git: Git, params: Readonly<MirrorParams>): Promise<TargetCommit> {
  const { mirrorPath, remote, branch } = params;
  return git.exclusive(mirrorPath, async () => {
    await ensureMirror(git, mirrorPath, branch);
    const ref = `refs/heads/${branch}`;
    const args = [
      "fetch",
      "--quiet",
      "--no-tags",
      "--no-write-fetch-head",
      "--no-auto-gc",
      "--",
      remote.url,
      `+${ref}:${ref}`,
    ];
    try {
      await runInOwnRepository(git, { ...overNetwork(remote, { args }), gitDir: mirrorPath });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "process.failed") throw error;
      throw remoteError(remote, branch, error.message);
    }
    const commit = await resolveCommit(git, mirrorPath, ref);
    if (commit === null)
      throw new AppError({
        code: "repository.unusable",
        message: `Branch "${branch}" of ${remote.url} is damaged.`,
      });
    return { commit, treeHash: await treeOf(git, mirrorPath, commit) };
  });
}

async function ensureMirror(git: Git, mirrorPath: string, branch: string): Promise<void> {
  const isThere = await access(path.join(mirrorPath, "HEAD")).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await ensurePrivateDirectory(path.dirname(mirrorPath));
  await withWorkDir(git, mirrorPath, async (directory) => {
    const fresh = path.join(directory, "mirror.git");
    await git.text({
      args: ["init", "--quiet", "--bare", "--template=", `--initial-branch=${branch}`, fresh],
    });
    await rename(fresh, mirrorPath);
  });
}

/** Where a branch of the server stands; null where there is none. @throws github.unavailable, repository.unusable */
export async function remoteHead(
  git: Git,
  params: Readonly<{ remote: Remote; branch: string }>,
): Promise<string | null> {
  const ref = `refs/heads/${params.branch}`;
  const result = await git.run(
    overNetwork(params.remote, {
      args: ["ls-remote", "--quiet", "--", params.remote.url, ref],
      timeoutMs: 60_000,
    }),
  );
  if (result.code !== 0) throw remoteError(params.remote, params.branch, gitMessage(result));
  const line = result.stdout.split("\n").find((one) => one.endsWith(`\t${ref}`));
  return line?.split("\t")[0] ?? null;
}

/**
 * Pushes a commit as a branch of the server. Never overwrites what somebody else pushed. Repeating it gives `already`.
 * @throws github.unavailable
 */
export async function pushBranch(git: Git, params: Readonly<PushParams>): Promise<PushOutcome> {
  const { gitDir, remote, branch, commit, expectedOld } = params;
  requireCommitId("commit", commit);
  const ref = `refs/heads/${branch}`;
  const result = await git.run(
    overNetwork(remote, {
      gitDir,
      args: [
        "push",
        "--porcelain",
        "--no-verify",
        `--force-with-lease=${ref}:${expectedOld ?? ""}`,
        "--",
        remote.url,
        `${commit}:${ref}`,
      ],
    }),
  );
  const line = result.stdout.split("\n").find((one) => one.includes(`:${ref}\t`));
  if (result.code === 0) return { outcome: line?.startsWith("=") === true ? "already" : "pushed" };
  const now = await remoteHead(git, { remote, branch });
  if (now === commit) return { outcome: "already" };
  if (now !== expectedOld) return { outcome: "moved", to: now };
  return { outcome: "refused", message: refusal(result, line) };
}

function refusal(result: RunResult, line: string | undefined): string {
  const said = result.stderr
    .split("\n")
    .filter((one) => one.startsWith("remote: "))
    .map((one) => one.slice("remote: ".length).trim())
    .filter((one) => one !== "");
  const text = said.length > 0 ? said.join(" ") : (line?.split("\t")[2] ?? gitMessage(result));
  return text.slice(0, 500);
}

const AWAY =
  /Could not resolve host|Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out)|Operation too slow|error: 5\d\d|HTTP 5\d\d|RPC failed|early EOF|unexpected disconnect|Empty reply|timed out/i;

const REFUSED_US = /Authentication failed|could not read (?:Username|Password)|error: 401/i;

function remoteError(remote: Remote, branch: string, message: string): AppError {
  if (REFUSED_US.test(message))
    return new AppError({
      code: "github.unauthorized",
      message: `${remote.url} does not accept our token.`,
      fix: "Put a new token into .env beside miyabi.yaml, then: miyabi shutdown && miyabi up",
    });
  if (AWAY.test(message))
    return new AppError({
      code: "github.unavailable",
      message: `${remote.url} cannot be reached: ${message}`,
    });
  return new AppError({
    code: "repository.unusable",
    message: `Branch "${branch}" of ${remote.url} cannot be read: ${message}`,
    fix: "miyabi doctor",
  });
}
