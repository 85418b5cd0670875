import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { AppError, parseYaml } from "../../base/index.ts";

const frontMatter = z.strictObject({
  title: z.string().min(1),
  labels: z.array(z.string()).default([]),
  /** Names of the issues' files, without `.md`. */
  dependsOn: z.array(z.string()).default([]),
  class: z.enum(["P0", "P1", "P2"]).optional(),
});

/** One issue of the sample project. */
export interface SampleIssue {
  /** File name without `.md`; what `dependsOn` refers to. */
  readonly name: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly dependsOn: readonly string[];
  /** Null leaves the class to the installation's default. */
  readonly class: "P0" | "P1" | "P2" | null;
}

const DOCUMENT = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/;
const RECIPE = /\n*^```miyabi-recipe\n[\s\S]*?^```$\n*/gm;

/**
 * The sample issues in the order of their file names, which is an order of dependency.
 * Without `withRecipes` the sample agent's recipes are left out: a real agent gets what a person would have written.
 * @throws not_found where the directory is missing; input.invalid naming file and line of a broken one; dependency.cycle where
 * an issue depends on a later or unknown one.
 */
export async function loadSampleIssues({
  dir,
  withRecipes,
}: Readonly<{ dir: string; withRecipes: boolean }>): Promise<SampleIssue[]> {
  const files = await readdir(dir).catch((error: unknown) => {
    throw new AppError({ code: "not_found", message: `There are no sample issues in ${dir}.`, cause: error });
  });
  const issues: SampleIssue[] = [];
  for (const file of files.filter((name) => name.endsWith(".md")).sort()) {
    const issue = parseIssue(file, await readFile(path.join(dir, file), "utf8"), withRecipes);
    const unknown = issue.dependsOn.find((name) => !issues.some((earlier) => earlier.name === name));
    if (unknown !== undefined)
      throw new AppError({
        code: "dependency.cycle",
        message: `${file} depends on "${unknown}", which is no issue before it.`,
      });
    issues.push(issue);
  }
  return issues;
}

function parseIssue(file: string, text: string, withRecipes: boolean): SampleIssue {
  const [, head, body] = DOCUMENT.exec(text.replaceAll("\r\n", "\n")) ?? [];
  if (head === undefined || body === undefined)
    throw new AppError({
      code: "input.invalid",
      message: `${file}:1: an issue begins with front matter between two lines "---".`,
    });
  const fields = parseYaml({ text: head, source: file, schema: frontMatter, code: "input.invalid" });
  return {
    name: file.slice(0, -".md".length),
    title: fields.title,
    body: (withRecipes ? body : body.replace(RECIPE, "\n")).trim(),
    labels: fields.labels,
    dependsOn: fields.dependsOn,
    class: fields.class ?? null,
  };
}
