import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemProcessRunner } from "../base/index.ts";
import { createGit, type Git } from "./git.ts";

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const PERSON = [
  "-c",
  "user.name=Hanako",
  "-c",
  "user.email=hanako@example.com",
  "-c",
  "init.defaultBranch=main",
];

/** Real git in a temporary directory, for the tests of this folder. */
export interface Fixture {
  readonly dir: string;
  readonly git: Git;
  /** Runs git as a person would, in `cwd`; trims the answer; throws where it fails. */
  person(cwd: string, ...args: readonly string[]): Promise<string>;
  write(directory: string, files: Readonly<Record<string, string>>): Promise<void>;
  /** Writes files and commits all changes; returns the commit. */
  commit(directory: string, files: Readonly<Record<string, string>>, message?: string): Promise<string>;
  /** A repository with one commit on `main`; returns its path. */
  repository(name?: string, files?: Readonly<Record<string, string>>): Promise<string>;
  close(): Promise<void>;
}

/** Opens a fixture; close it after the test. */
export async function openFixture(searchPath = SEARCH_PATH): Promise<Fixture> {
  const dir = await mkdtemp(path.join(tmpdir(), "miyabi repo テスト-"));
  const git = createGit({ processes: systemProcessRunner, searchPath });
  const person: Fixture["person"] = async (cwd, ...args) => {
    const result = await systemProcessRunner.run({
      command: "git",
      args: [...PERSON, ...args],
      cwd,
      env: { PATH: SEARCH_PATH, HOME: dir, GIT_CONFIG_NOSYSTEM: "1", GIT_EDITOR: "true", LC_ALL: "C" },
      timeoutMs: 60_000,
    });
    if (result.code !== 0) throw new Error(`git ${args.join(" ")}: ${result.stderr}${result.stdout}`);
    return result.stdout.trim();
  };
  const write: Fixture["write"] = async (directory, files) => {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
      await writeFile(path.join(directory, name), content);
    }
  };
  const commit: Fixture["commit"] = async (directory, files, message = "change") => {
    await write(directory, files);
    await person(directory, "add", "-A");
    await person(directory, "commit", "--allow-empty", "-q", "-m", message);
    return person(directory, "rev-parse", "HEAD");
  };
  return {
    dir,
    git,
    person,
    write,
    commit,
    repository: async (name = "user's 桜 repo", files = { "a.txt": "1\n2\n3\n", "src/b.txt": "b\n" }) => {
      const directory = path.join(dir, name);
      await mkdir(directory, { recursive: true });
      await person(directory, "init", "-q");
      await commit(directory, files, "first");
      return directory;
    },
    close: async () => {
      await chmod(dir, 0o700);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
