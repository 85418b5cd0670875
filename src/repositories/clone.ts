import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { AppError, diskError } from "../base/index.ts";
import { checkOutWithoutInstructions } from "./agent-files.ts";
import { requireCommitId, type Git } from "./git.ts";
import { removeTree } from "./remove-tree.ts";

export interface Author {
  readonly name: string;
  readonly email: string;
}

interface CreateCloneParams {
  /** Path of the cache, the same inside and outside the sandbox: the clone names it. */
  readonly cachePath: string;
  readonly cloneDir: string;
  readonly commit: string;
  /** Branch that HEAD is on, e.g. `miyabi/12-fix-login`; null leaves HEAD detached, as a reviewer's is. */
  readonly branch: string | null;
  readonly author: Author;
  /** Patterns of `.gitignore` form that stay out of commits, e.g. what `prepare` brings in. */
  readonly exclude?: readonly string[];
  /** Commit whose instructions to agents (`CLAUDE.md` and the like) stand in the tree instead of the commit's own. */
  readonly instructionsOf?: string;
}

interface CreateCheckoutParams {
  readonly cachePath: string;
  readonly dir: string;
  readonly commit: string;
}

const CHECKOUT_TIMEOUT_MS = 600_000;

function configText(objectFormat: string, author: Author): string {
  const quoted = (text: string): string =>
    `"${text
      .replace(/[\n\0]/g, " ")
      .replaceAll("\\", "\\\\")
      .replaceAll('"', '\\"')}"`;
  const isSha1 = objectFormat === "sha1";
  return [
    "[core]",
    `\trepositoryformatversion = ${isSha1 ? 0 : 1}`,
    "\tfilemode = true",
    "\tbare = false",
    "\tlogallrefupdates = true",
    ...(isSha1 ? [] : ["[extensions]", `\tobjectformat = ${objectFormat}`]),
    "[user]",
    `\tname = ${quoted(author.name)}`,
    `\temail = ${quoted(author.email)}`,
    "[gc]",
    "\tauto = 0",
    "[maintenance]",
    "\tauto = false",
    "[advice]",
    "\tdetachedHead = false",
    "",
  ].join("\n");
}

/** What `git clone --shared` makes, written by hand: one process instead of five, and no remote. */
async function buildClone(git: Git, directory: string, params: Readonly<CreateCloneParams>): Promise<void> {
  const gitDir = path.join(directory, ".git");
  const cacheConfig = await readFile(path.join(params.cachePath, "config"), "utf8");
  const format = /^\s*objectformat\s*=\s*(\w+)/im.exec(cacheConfig)?.[1] ?? "sha1";
  await mkdir(path.join(gitDir, "objects", "info"), { recursive: true, mode: 0o755 });
  await mkdir(path.join(gitDir, "objects", "pack"));
  await mkdir(path.join(gitDir, "refs", "heads"), { recursive: true });
  await mkdir(path.join(gitDir, "info"));
  const { branch, commit } = params;
  const files: readonly (readonly [string, string])[] = [
    ["objects/info/alternates", `${path.join(params.cachePath, "objects")}\n`],
    ["config", configText(format, params.author)],
    ["info/exclude", (params.exclude ?? []).map((line) => `${line}\n`).join("")],
    ["packed-refs", branch === null ? "" : `${commit} refs/heads/${branch}\n`],
    ["HEAD", branch === null ? `${commit}\n` : `ref: refs/heads/${branch}\n`],
  ];
  await Promise.all(files.map(([name, content]) => writeFile(path.join(gitDir, name), content)));
  const isFilled =
    params.instructionsOf !== undefined &&
    (await checkOutWithoutInstructions(git, {
      gitDir,
      workTree: directory,
      commit,
      trusted: params.instructionsOf,
      timeoutMs: CHECKOUT_TIMEOUT_MS,
    }));
  if (isFilled) return;
  await git.text({
    gitDir,
    workTree: directory,
    args: ["read-tree", "--reset", "-u", commit],
    timeoutMs: CHECKOUT_TIMEOUT_MS,
  });
}

async function requireBranchName(git: Git, branch: string): Promise<void> {
  const checked = await git.run({ args: ["check-ref-format", `refs/heads/${branch}`] });
  if (checked.code !== 0 || branch.startsWith("-"))
    throw new AppError({
      code: "input.invalid",
      message: `"${branch.slice(0, 80)}" is not a branch's name.`,
    });
}

/**
 * Makes a working clone that borrows its objects from the cache and has no remote.
 * It appears complete or not at all; one that is there is replaced. Never call it for a directory that an agent may still write.
 * @throws input.invalid, not_found where the cache lacks the commit, disk.full, disk.not_writable.
 */
export async function createClone(git: Git, params: Readonly<CreateCloneParams>): Promise<void> {
  requireCommitId("commit", params.commit);
  if (params.branch !== null) await requireBranchName(git, params.branch);
  const fresh = `${params.cloneDir}.new`;
  await removeTree(git, { directory: fresh });
  try {
    await mkdir(path.dirname(fresh), { recursive: true });
    await buildClone(git, fresh, params);
  } catch (error) {
    await removeTree(git, { directory: fresh });
    if (error instanceof AppError && error.code === "process.failed")
      throw new AppError({
        code: "not_found",
        message: `Commit ${params.commit} cannot be checked out from ${params.cachePath}: ${error.message}`,
        cause: error,
      });
    throw diskError(params.cloneDir, error);
  }
  await removeTree(git, { directory: params.cloneDir });
  await rename(fresh, params.cloneDir);
}

/** A clean checkout of a commit for checks, with a detached HEAD. Otherwise as `createClone`. */
export async function createCheckout(git: Git, params: Readonly<CreateCheckoutParams>): Promise<void> {
  const author = { name: "Miyabi", email: "miyabi@localhost" };
  await createClone(git, { ...params, cloneDir: params.dir, branch: null, author });
}

/** Brings a reviewer's clone to another commit by replacing it; nothing that lies in the old one is read. Otherwise as `createClone`. */
export async function updateReadOnlyClone(
  git: Git,
  params: Readonly<Omit<CreateCloneParams, "branch">>,
): Promise<void> {
  await createClone(git, { ...params, branch: null });
}
