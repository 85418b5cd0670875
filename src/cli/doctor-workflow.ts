import path from "node:path";
import { parseYaml, quoteForShell, readFileIfExists, systemProcessRunner } from "../base/index.ts";
import { createGit } from "../repositories/index.ts";
import { workflow } from "../tasks/index.ts";
import type { Finding } from "./finding.ts";
import { WORKFLOW_FILE } from "./init-workflow.ts";

/**
 * Whether the workflow of the repository around a directory can be followed; null where there is no repository.
 * @throws workflow.invalid naming file, line and field.
 */
export async function checkWorkflow(directory: string, searchPath: string): Promise<Finding | null> {
  const git = createGit({ processes: systemProcessRunner, searchPath });
  const top = await git.run({ cwd: directory, args: ["rev-parse", "--show-toplevel"] });
  const root = top.stdout.replace(/\n$/, "");
  if (top.code !== 0 || root === "") return null;
  const file = path.join(root, WORKFLOW_FILE);
  const text = await readFileIfExists(file);
  if (text === null)
    return { name: "workflow", state: "ok", detail: `the default one; ${file} would change it`, fix: null };
  parseYaml({ text, source: file, schema: workflow, code: "workflow.invalid" });
  const committed = await git.run({ cwd: root, args: ["show", `HEAD:${WORKFLOW_FILE}`] });
  if (committed.code === 0 && committed.stdout === text)
    return { name: "workflow", state: "ok", detail: file, fix: null };
  const at = `git -C ${quoteForShell(root)}`;
  return {
    name: "workflow",
    state: "warn",
    detail: `${file} is not committed as it is; tasks follow the committed one.`,
    fix: `${at} add ${WORKFLOW_FILE} && ${at} commit -m "Workflow" ${WORKFLOW_FILE}`,
  };
}
