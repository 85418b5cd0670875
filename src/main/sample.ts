import path from "node:path";
import type { Clock, Home, Random } from "../base/index.ts";
import { createSampleRepository, loadSampleIssues, type Intake } from "../sources/index.ts";
import { SAMPLE_PROFILE } from "../agents/index.ts";
import type { Git } from "../repositories/index.ts";
import type { Installation } from "./installation.ts";

export interface SampleParams {
  readonly home: Home;
  readonly installation: Installation;
  readonly git: Git;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly random: Random;
}

interface StartedSample {
  readonly repositoryPath: string;
  readonly taskIds: readonly string[];
}

/**
 * Makes a sample repository and adds its issues as tasks. Repeatable for the same `name`: what is there already, stays.
 * With a real agent's profile the recipes of the sample agent are left out of the issues.
 */
export async function startSample(
  params: Readonly<SampleParams>,
  { name, profile }: { readonly name: string; readonly profile: string | null },
): Promise<StartedSample> {
  const { installation, home } = params;
  const repository = await createSampleRepository({
    templateDir: path.join(installation.sampleProjectDir, "project"),
    targetDir: path.join(home.root, "sample", name),
    git: params.git,
  });
  const issues = await loadSampleIssues({
    dir: path.join(installation.sampleProjectDir, "issues"),
    withRecipes: profile === null || profile === SAMPLE_PROFILE,
  });
  const ids = new Map<string, string>();
  for (const issue of issues) {
    const added = await params.intake.add(
      {
        repositoryPath: repository.dir,
        title: issue.title,
        body: issue.body,
        labels: [...issue.labels],
        dependsOn: issue.dependsOn.map((dependency) => ids.get(dependency) ?? dependency),
        class: issue.class ?? "P2",
        profile: profile ?? SAMPLE_PROFILE,
      },
      { idempotencyKey: `sample:${name}:${issue.name}`, source: "sample" },
    );
    ids.set(issue.name, added.id);
  }
  return { repositoryPath: repository.dir, taskIds: [...ids.values()] };
}

/** A name for another sample repository: readable and unused. */
export function sampleName(params: Pick<SampleParams, "clock" | "random">): string {
  const stamp = params.clock.now().toISOString().slice(0, 19).replaceAll(/[:T]/g, "-");
  return `menu-card-${stamp}-${params.random
    .token(3)
    .replaceAll(/[^A-Za-z0-9]/g, "0")
    .toLowerCase()}`;
}
