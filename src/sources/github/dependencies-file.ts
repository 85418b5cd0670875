import { z } from "zod";
import { AppError, parseYaml } from "../../base/index.ts";
import type { Git } from "../../repositories/index.ts";
import type { HostedRepository } from "./repositories.ts";

const PLACE = ".miyabi/dependencies.yaml";
const MAX_BYTES = 512 * 1_024;

const reference = z
  .string()
  .regex(/^(?:[A-Za-z0-9][\w.-]*\/[\w.-]+)?#[1-9]\d{0,9}$/, 'an issue looks like "#12" or "owner/name#12"');
/** `.miyabi/dependencies.yaml`: issues of this repository, each with those that it depends on. */
export const dependenciesFile = z.record(
  z.string().regex(/^#[1-9]\d{0,9}$/, 'an issue of this repository looks like "#12"'),
  z.array(reference).max(100),
);

/** What issues depend on as `.miyabi/dependencies.yaml` of the target branch says; other branches' files mean nothing. */
export interface DependenciesFile {
  /**
   * Issues that this one depends on, `owner/name#12` in small letters. `commit`: of the target branch.
   * @throws config.invalid with file, line and what is expected
   */
  of(repository: HostedRepository, commit: string, number: number): Promise<readonly string[]>;
}

export function createDependenciesFile(git: Git): DependenciesFile {
  const read = new Map<string, { readonly commit: string; readonly listed: ReturnType<typeof parse> }>();
  const parse = (text: string, { targetBranch, settings }: HostedRepository) => {
    const source = `${PLACE} (${targetBranch})`;
    const listed = parseYaml({ text, source, schema: dependenciesFile, code: "config.invalid" });
    return new Map(
      Object.entries(listed).map(([issue, references]) => [
        Number(issue.slice(1)),
        references.map((one) => (one.startsWith("#") ? settings.name + one : one).toLowerCase()),
      ]),
    );
  };
  return {
    of: async (repository, commit, number) => {
      const { key, mirrorPath: gitDir } = repository;
      const before = read.get(key);
      if (before?.commit === commit) return before.listed.get(number) ?? [];
      const found = await git.run({
        gitDir,
        args: ["show", `${commit}:${PLACE}`],
        maxOutputBytes: MAX_BYTES,
      });
      if (found.truncated)
        throw new AppError({
          code: "config.invalid",
          message: `${PLACE} (${repository.targetBranch}) has more than ${MAX_BYTES / 1_024} KiB.`,
        });
      const listed = parse(found.code === 0 ? found.stdout : "", repository);
      read.set(key, { commit, listed });
      return listed.get(number) ?? [];
    },
  };
}
