import path from "node:path";
import { stringify } from "yaml";
import { parseYaml, readFileIfExists, systemProcessRunner } from "../base/index.ts";
import type { Project, RepositoryFacts } from "../repositories/index.ts";
import { defaultWorkflow, workflow, type Workflow } from "../tasks/index.ts";

export const WORKFLOW_FILE = ".miyabi/workflow.yaml";

interface WorkflowParams {
  readonly env: NodeJS.ProcessEnv;
  readonly facts: RepositoryFacts;
  readonly project: Project;
}

/** The workflow file that the repository lacks; null where it has one (whatever is in it) or has no tree to put it in. */
export async function proposeWorkflow(
  params: Readonly<WorkflowParams>,
): Promise<{ readonly file: string; readonly text: string } | null> {
  const { facts, project } = params;
  if (facts.bare) return null;
  const file = path.join(facts.root, WORKFLOW_FILE);
  if ((await readFileIfExists(file)) !== null) return null;
  const proposed = defaultWorkflow({
    check: project.check,
    prepare:
      project.prepare.length === 0
        ? null
        : {
            commands: [...project.prepare],
            outputs: [...project.outputs],
            egress: await registryHosts(params),
          },
  });
  const text = textOf(proposed);
  // What is written must be what the control plane reads later.
  parseYaml({ text, source: WORKFLOW_FILE, schema: workflow, code: "workflow.invalid" });
  return { file, text };
}

/** Host of the registry that the person's own npm uses; other package managers' hosts are for the person to add. */
async function registryHosts({ env, project }: Readonly<WorkflowParams>): Promise<string[]> {
  if (!project.kinds.includes("node")) return [];
  const { stdout } = await systemProcessRunner
    .run({ command: "npm", args: ["config", "get", "registry"], env, timeoutMs: 15_000 })
    .catch(() => ({ stdout: "" }));
  const said = stdout.trim();
  return URL.canParse(said) ? [new URL(said).hostname] : [];
}

function textOf(proposed: Workflow): string {
  const { prepare, egress, ...rest } = proposed;
  const shown = {
    version: rest.version,
    ...(prepare === null ? {} : { prepare }),
    ...(egress.length === 0 ? {} : { egress }),
    steps: proposed.steps.map((step) =>
      "timeout" in step ? { ...step, timeout: `${step.timeout / 60_000}m` } : step,
    ),
  };
  return [
    "# How miyabi carries a task of this repository from an issue to a merged change.",
    "# `prepare.egress` and `egress` name the hosts that commands and agents may reach.",
    stringify(shown, { lineWidth: 0 }),
  ].join("\n");
}
