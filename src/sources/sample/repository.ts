import { cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { AppError, diskError, errnoOf } from "../../base/index.ts";
import type { Git } from "../../repositories/index.ts";

const BRANCH = "main";
/** Fixed, so that the first commit is the same everywhere. */
const IDENTITY = {
  GIT_AUTHOR_NAME: "Kaede Tea House",
  GIT_AUTHOR_EMAIL: "hello@menu-card.example",
  GIT_AUTHOR_DATE: "2026-01-01T09:00:00+09:00",
  GIT_COMMITTER_NAME: "Kaede Tea House",
  GIT_COMMITTER_EMAIL: "hello@menu-card.example",
  GIT_COMMITTER_DATE: "2026-01-01T09:00:00+09:00",
} as const;

interface SampleRepositoryParams {
  /** The project's files as they are shipped. */
  readonly templateDir: string;
  readonly targetDir: string;
  readonly git: Git;
}

interface SampleRepository {
  readonly dir: string;
  /** Head of `main`. */
  readonly commit: string;
  /** False where it was there already. */
  readonly created: boolean;
}

/**
 * A git repository of the sample project on branch `main` with one commit, whose hash depends only on the files.
 * An existing one is left as it is. It is made beside its place and renamed, so a crash leaves nothing there; what it leaves
 * beside is removed by the next call.
 * @throws conflict.state where something else is in the place; disk.full, disk.not_writable; process.failed.
 */
export async function createSampleRepository(
  params: Readonly<SampleRepositoryParams>,
): Promise<SampleRepository> {
  const { targetDir, templateDir, git } = params;
  const entries = await readdir(targetDir).catch((): string[] => []);
  if (entries.includes(".git"))
    return { dir: targetDir, commit: await headOf(git, targetDir), created: false };
  if (entries.length > 0)
    throw new AppError({
      code: "conflict.state",
      message: `${targetDir} holds something else than the sample project.`,
      fix: "Choose another directory, or remove this one.",
    });
  const partial = `${targetDir}.partial`;
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(path.dirname(targetDir), { recursive: true });
    await cp(templateDir, partial, { recursive: true });
    await commitAll(git, partial);
    await rename(partial, targetDir);
  } catch (error) {
    throw errnoOf(error) === null ? error : diskError(targetDir, error);
  }
  return { dir: targetDir, commit: await headOf(git, targetDir), created: true };
}

async function commitAll(git: Git, dir: string): Promise<void> {
  const run = (...args: readonly string[]): Promise<string> => git.text({ cwd: dir, args, env: IDENTITY });
  await run("init", "--quiet", `--initial-branch=${BRANCH}`);
  await run("add", "--all");
  await run("commit", "--quiet", "--no-gpg-sign", "--message", "The menu card of Kaede Tea House");
}

async function headOf(git: Git, dir: string): Promise<string> {
  return (await git.text({ cwd: dir, args: ["rev-parse", "--verify", `refs/heads/${BRANCH}`] })).trim();
}
