import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A git repository of a person. */
export interface TestRepository {
  readonly dir: string;
  /** Standard output of a git command in it. */
  git(...args: readonly string[]): Promise<string>;
}

/** Makes a repository with one commit on `main`. */
export async function createTestRepository(
  dir: string,
  files: Readonly<Record<string, string>> = { "README.md": "A test.\n" },
): Promise<TestRepository> {
  await mkdir(dir, { recursive: true });
  const git: TestRepository["git"] = async (...args) => {
    const { stdout } = await run("git", [
      ...["-c", "safe.directory=*", "-c", "user.name=Hanako", "-c", "user.email=hanako@example.com"],
      ...["-C", dir, ...args],
    ]);
    return stdout;
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), content);
  }
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "First commit");
  return { dir, git };
}
