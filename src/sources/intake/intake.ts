import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import path from "node:path";
import { AppError, parseYaml } from "../../base/index.ts";
import type { NewTask } from "../../contract/index.ts";
import {
  branchNameFor,
  detectProject,
  inspectRepository,
  type Git,
  type RepositoryFacts,
} from "../../repositories/index.ts";
import type { Queryable } from "../../store/index.ts";
import {
  defaultWorkflow,
  workflow,
  type Machine,
  type TaskService,
  type Workflow,
} from "../../tasks/index.ts";

export interface IntakeParams {
  readonly tasks: TaskService;
  readonly git: Git;
  /** Queues that somebody of the team takes runs from. */
  readonly queues: readonly string[];
  /** @throws where there is no such profile. */
  readonly requireProfile: (name: string) => void;
  /** Where local repositories lie, with several machines on one database; absent: there is only one. */
  readonly place?: { readonly machine: Machine; readonly database: Queryable };
}

export interface Intake {
  /**
   * Accepts a new task for a local repository: looks at the repository, reads the workflow of its target branch, creates the task.
   * @throws repository.unusable, workflow.invalid, config.invalid, not_found, conflict.state.
   */
  add(
    task: NewTask,
    options: Readonly<AddOptions>,
  ): Promise<{ readonly id: string; readonly created: boolean }>;
  /** What a repository is known by. @throws repository.unusable */
  inspect(repositoryPath: string, branch: string | null): Promise<KnownRepository>;
  /** The same of a local one, and notes on which machine it lies. @throws repository.unusable */
  register(repositoryPath: string, branch: string | null): Promise<KnownRepository>;
}

export interface AddOptions {
  readonly idempotencyKey: string | null;
  readonly source: string;
  /** How changes of a hosted repository are merged; absent for a local one. */
  readonly hosted?: { readonly policy: "never" | "when-approved" | "when-green"; readonly squash: boolean };
  /** What a hosted repository is known by, on whatever machine its mirror was made first. */
  readonly known?: KnownRepository;
  /** What the branch is named after instead of the task's id, e.g. an issue's number. */
  readonly branchKey?: string;
  /** Role of the first agent step; null: as the workflow says. */
  readonly role?: string | null;
}

export interface KnownRepository {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly targetBranch: string;
}

interface Looked {
  readonly facts: RepositoryFacts;
  readonly known: KnownRepository;
  readonly followed: Workflow;
  readonly source: string;
}

const WORKFLOW_FILE = ".miyabi/workflow.yaml";

export function createIntake(params: Readonly<IntakeParams>): Intake {
  const inspect = async (
    repositoryPath: string,
    branch: string | null,
  ): Promise<{ facts: RepositoryFacts; known: KnownRepository }> => {
    if (!path.isAbsolute(repositoryPath))
      throw new AppError({
        code: "input.invalid",
        message: `repositoryPath: "${repositoryPath}" is not an absolute path.`,
        fix: "Give the whole path, e.g. /home/you/project.",
        details: { field: "repositoryPath" },
      });
    const facts = await inspectRepository(params.git, { path: repositoryPath, branch, trustOwner: true });
    const known = {
      id: repositoryId(facts, params.place?.machine.suffix ?? ""),
      name: path.basename(facts.root).replace(/\.git$/, ""),
      path: facts.root,
      targetBranch: facts.branch,
    };
    return { facts, known };
  };
  /** Its tasks are carried out where it lies, from the first one on. */
  const settle = async ({ id, name, path: at, targetBranch }: KnownRepository): Promise<void> => {
    if (params.place === undefined) return;
    await params.place.database.query(
      "insert into miyabi.repositories (id, name, path, target_branch, machine) values ($1, $2, $3, $4, $5) on conflict do nothing",
      [id, name, at, targetBranch, params.place.machine.name],
    );
  };
  const mirrors = new Map<string, { readonly stands: string; readonly looked: Looked }>();
  const look = async (task: NewTask, hosted: AddOptions["hosted"]): Promise<Looked> => {
    const branch = task.targetBranch ?? null;
    const chosen = task.workflow === undefined || task.workflow === "default" ? null : task.workflow;
    const lookNow = async (): Promise<Looked> => {
      const { facts, known } = await inspect(task.repositoryPath, branch);
      return { facts, known, ...(await workflowOf(params.git, facts, chosen, hosted)) };
    };
    if (hosted === undefined || branch === null) return lookNow();
    // A mirror is ours alone: as long as its branch stands where it stood, everything else does too.
    const stands = await refStamp(task.repositoryPath, branch);
    const key = JSON.stringify([task.repositoryPath, branch, chosen, hosted]);
    const before = mirrors.get(key);
    if (before?.stands === stands) return before.looked;
    const looked = await lookNow();
    mirrors.set(key, { stands, looked });
    return looked;
  };
  return {
    inspect: async (repositoryPath, branch) => (await inspect(repositoryPath, branch)).known,
    register: async (repositoryPath, branch) => {
      const { known } = await inspect(repositoryPath, branch);
      await settle(known);
      return known;
    },
    add: async (task, { idempotencyKey, source, hosted, known: asKnown, branchKey, role = null }) => {
      if (task.profile !== undefined) params.requireProfile(task.profile);
      const found = await look(task, hosted);
      const { source: named } = found;
      const known = asKnown ?? found.known;
      const followed = role === null ? found.followed : withRole(found.followed, role);
      requirePullRequest(followed, named, hosted !== undefined);
      requireRoles(followed, named, params.queues);
      if (hosted === undefined) await settle(known);
      return params.tasks.add({
        repository: known,
        source,
        title: task.title,
        body: task.body,
        labels: task.labels,
        class: task.class ?? "P2",
        dueAt: task.dueAt === undefined ? null : new Date(task.dueAt),
        dependsOn: task.dependsOn,
        workflow: followed,
        profile: task.profile ?? null,
        idempotencyKey,
        branchFor: (taskId) => branchNameFor({ taskId: branchKey ?? taskId, title: task.title }),
      });
    },
  };
}

/** Another one whenever the branch was moved: git writes these files anew. A process for each issue of a backlog takes too long. */
async function refStamp(gitDir: string, branch: string): Promise<string> {
  const files = [path.join(gitDir, "packed-refs"), path.join(gitDir, "refs/heads", branch)];
  const stats = await Promise.all(
    files.map((file) =>
      stat(file, { bigint: true }).then(
        ({ ino, size, mtimeNs }) => `${ino} ${size} ${mtimeNs}`,
        () => "",
      ),
    ),
  );
  return stats.join("\n");
}

/** Stable for a path and branch of a machine, so that a cache is found again. */
function repositoryId(facts: RepositoryFacts, machine: string): string {
  const place = machine === "" ? "" : `\n${machine}`;
  return createHash("sha256").update(`${facts.root}\n${facts.branch}${place}`).digest("hex").slice(0, 12);
}

/** Pure. */
function withRole(followed: Workflow, role: string): Workflow {
  const first = followed.steps.findIndex(({ kind }) => kind === "agent");
  return {
    ...followed,
    steps: followed.steps.map((step, index) =>
      index === first && step.kind === "agent" ? { ...step, role } : step,
    ),
  };
}

/** The workflow as committed on the target branch; one made from what the project has where there is none. `name`: a chosen one. */
async function workflowOf(
  git: Git,
  facts: RepositoryFacts,
  name: string | null,
  hosted: AddOptions["hosted"],
): Promise<{ readonly followed: Workflow; readonly source: string }> {
  const place = name === null ? WORKFLOW_FILE : `.miyabi/workflows/${name}.yaml`;
  const source = `${place} (${facts.branch})`;
  const isName = name === null || /^[a-z][a-z0-9-]{0,40}$/.test(name);
  const file = isName
    ? await git.run({ gitDir: facts.gitDir, args: ["show", `${facts.commit}:${place}`] })
    : null;
  if (name !== null && file?.code !== 0)
    throw new AppError({
      code: "input.invalid",
      message: `workflow: there is no workflow "${name}": ${place} is not on ${facts.branch}.`,
      fix: `Commit it, or leave the name out; then the repository's ${WORKFLOW_FILE} is used.`,
      details: { field: "workflow" },
    });
  if (file?.code === 0)
    return {
      followed: parseYaml({ text: file.stdout, source, schema: workflow, code: "workflow.invalid" }),
      source,
    };
  const project = await detectProject(git, { gitDir: facts.gitDir, commit: facts.commit });
  const followed = defaultWorkflow({
    check: project.check,
    prepare:
      project.prepare.length === 0 ? null : { commands: [...project.prepare], outputs: [...project.outputs] },
    ...(hosted === undefined ? {} : { pullRequest: hosted }),
  });
  return { followed, source: "the default workflow" };
}

/** A hosted repository's branch is moved by its server alone, a local one has no server. */
function requirePullRequest({ steps }: Workflow, source: string, isHosted: boolean): void {
  const index = steps.findIndex(({ kind }) => kind === (isHosted ? "merge" : "pull-request"));
  if (index < 0 || (isHosted && steps.slice(0, index).some(({ kind }) => kind === "pull-request"))) return;
  throw new AppError({
    code: "workflow.invalid",
    message: isHosted
      ? `${source}: steps.${index}: a hosted repository is merged by pull request; there is no step of kind "pull-request" before it.`
      : `${source}: steps.${index}.kind "pull-request" needs a repository that is configured under github.repositories.`,
    fix: isHosted
      ? "Add steps of kind pull-request and wait-ci before the merge."
      : "Remove the step, or configure the repository in miyabi.yaml.",
  });
}

/** A run of a queue that nobody takes from would wait for ever. */
function requireRoles(followed: Workflow, source: string, queues: readonly string[]): void {
  for (const [index, step] of followed.steps.entries()) {
    const queue =
      step.kind === "agent"
        ? step.role
        : step.kind === "check"
          ? "check"
          : step.kind === "command"
            ? "deploy"
            : null;
    if (queue !== null && !queues.includes(queue))
      throw new AppError({
        code: "workflow.invalid",
        message: `${source}: steps.${index}.role "${queue}": nobody in the team takes it; known are ${queues.join(", ")}.`,
        fix: `Change the role, or give a member of \`team:\` in miyabi.yaml the queue "${queue}".`,
      });
  }
}
