import { mkdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import {
  AppError,
  diskError,
  ensurePrivateDirectory,
  errnoOf,
  type ProcessRunner,
  type Random,
} from "../../base/index.ts";
import type { AgentProfile } from "../profile.ts";

const INSTALL_TIMEOUT_MS = 10 * 60_000;

interface PackageParams {
  readonly profile: AgentProfile;
  /** `<home>/agents`: one directory per profile's package and version. */
  readonly agentsDir: string;
  /** Where the sample agent's program is. */
  readonly sampleAgentDir: string;
}

interface InstallParams extends PackageParams {
  readonly runner: ProcessRunner;
  readonly random: Pick<Random, "uuid">;
  /** The caller's environment; npm gets PATH, HOME, the network's and its own settings of it, and no other variable. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told in words what happens. */
  readonly onProgress: (text: string) => void;
  /** Ends npm; nothing is installed then. */
  readonly signal?: AbortSignal;
}

/** Value of `{package}` for a profile; null where it needs none. Whether anything is installed there is another question. Pure. */
export function packageDirOf({ profile, agentsDir, sampleAgentDir }: Readonly<PackageParams>): string | null {
  if (profile.npm === null) return profile.args.join(" ").includes("{package}") ? sampleAgentDir : null;
  // `@scope/name@1.2.3` would be two levels; one is easier to list and to remove.
  return path.join(agentsDir, profile.npm.replace(/^@/, "").replaceAll("/", "+"));
}

/** Whether the profile's package is there. A directory is complete as soon as it exists: it is renamed into place. */
export async function isAgentInstalled(params: Readonly<PackageParams>): Promise<boolean> {
  const directory = packageDirOf(params);
  if (directory === null) return true;
  const stats = await stat(directory).catch(() => null);
  return stats?.isDirectory() === true;
}

/**
 * Makes the pinned npm package of a profile available and resolves to its directory (null where the profile has none).
 * Idempotent; two processes may install the same at once, the first to finish wins. A crash leaves only a directory whose
 * name ends in `.partial`, which is never used. Install scripts are not run: the agents ship their programs as
 * packages per platform.
 * @throws agent.unavailable where npm is missing, offline, or fails; disk.full, disk.not_writable.
 */
export async function installAgentPackage(params: Readonly<InstallParams>): Promise<string | null> {
  const { profile, onProgress } = params;
  const directory = packageDirOf(params);
  if (directory === null || profile.npm === null || (await isAgentInstalled(params))) return directory;
  await ensurePrivateDirectory(params.agentsDir, 0o755);
  const partial = `${directory}.${params.random.uuid().slice(0, 8)}.partial`;
  try {
    await mkdir(partial).catch((error: unknown) => {
      throw diskError(partial, error);
    });
    onProgress(`Installing ${profile.npm} for ${profile.title}…`);
    await npmInstall(params, profile.npm, partial);
    await moveIntoPlace(partial, directory);
    onProgress(`${profile.title} is installed.`);
    return directory;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function moveIntoPlace(partial: string, directory: string): Promise<void> {
  try {
    await rename(partial, directory);
  } catch (error) {
    // Another process has just put the same there.
    if (errnoOf(error) !== "ENOTEMPTY" && errnoOf(error) !== "EEXIST") throw diskError(directory, error);
  }
}

async function npmInstall(
  { profile, runner, env, signal }: Readonly<InstallParams>,
  npmPackage: string,
  directory: string,
): Promise<void> {
  const command = [
    "install",
    "--prefix",
    directory,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-save",
  ];
  const unavailable = (message: string, cause?: unknown): AppError =>
    new AppError({
      code: "agent.unavailable",
      message: `${profile.title} could not be installed: ${message}`,
      fix: `Check the network and npm's settings (npm view ${npmPackage} version), then: miyabi restart`,
      cause,
    });
  const result = await runner
    .run({
      command: "npm",
      args: [...command, "--loglevel=error", npmPackage],
      cwd: directory,
      env: environmentOfNpm(env),
      timeoutMs: INSTALL_TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    })
    .catch((error: unknown) => {
      throw unavailable("npm was not found. It comes with Node (https://nodejs.org).", error);
    });
  if (result.timedOut) throw unavailable(`npm did not finish within ${INSTALL_TIMEOUT_MS / 60_000} min.`);
  if (result.code !== 0) throw unavailable(explainNpm(`${result.stderr}\n${result.stdout}`));
}

const NPM_VARIABLES = [
  "PATH",
  "HOME",
  "LANG",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "NODE_EXTRA_CA_CERTS",
];

/** npm needs its own settings and the network's; no key of a provider is among them. Pure. */
export function environmentOfNpm(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => NPM_VARIABLES.includes(name.toUpperCase()) || name.toLowerCase().startsWith("npm_config_"),
    ),
  );
}

function explainNpm(output: string): string {
  const code = /npm (?:ERR!|error) code (\S+)/.exec(output)?.[1] ?? "";
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET/.test(output))
    return `the npm registry cannot be reached (${code || "no network"}).`;
  if (code === "ETARGET" || code === "E404") return "the npm registry does not have this version.";
  if (code === "ENOSPC") return "no space is left on the disk.";
  return `npm said: ${output.trim().slice(-500)}`;
}
