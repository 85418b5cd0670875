import { z } from "zod";

/** Milliseconds from text such as `90s`, `30m`, `2h`. */
const duration = z
  .string()
  .regex(/^\d+(s|m|h)$/, "a duration looks like 90s, 30m or 2h")
  .transform(
    (text) => Number.parseInt(text, 10) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[text.slice(-1)] ?? 0),
  );

const stepName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,40}$/, "a step's name has small letters, digits and dashes");
const commands = z.array(z.string().min(1).max(4_000)).min(1).max(50);
/** Host names, exact or `*.example.org`, that the sandbox may reach. */
const egress = z
  .array(
    z
      .string()
      .regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/, "expected a host name, e.g. example.org or *.example.org"),
  )
  .max(100);

const common = { name: stepName, timeout: duration.default(30 * 60_000) };
/** Tries after failures that say nothing about the work (agent crashed, no verdict), with back-off. */
const retries = z.number().int().min(0).max(20).default(4);

const agentStep = z.strictObject({
  ...common,
  kind: z.literal("agent"),
  role: z.string().min(1),
  retries,
  /** Where `changes` sends the task; a step that has it is a review and sees the work read-only. */
  onChanges: stepName.optional(),
  /** Review rounds before a person decides. */
  rounds: z.number().int().min(1).max(20).default(3),
});
const checkStep = z.strictObject({
  ...common,
  kind: z.literal("check"),
  commands,
  egress: egress.default([]),
  retries,
  /** Where a failing check sends the task; absent: the task fails. */
  onFailure: stepName.optional(),
  rounds: z.number().int().min(1).max(20).default(5),
});
const commandStep = z.strictObject({
  ...common,
  kind: z.literal("command"),
  commands,
  egress: egress.default([]),
  retries,
});
const approvalStep = z.strictObject({
  name: stepName,
  kind: z.literal("approval"),
  text: z.string().max(2_000).default("Approve this change?"),
  onReject: stepName.optional(),
});
const mergeStep = z.strictObject({
  ...common,
  kind: z.literal("merge"),
  retries,
  /** Where a conflict, or a check that fails on the merged result, sends the task. */
  onConflict: stepName,
  rounds: z.number().int().min(1).max(20).default(5),
  /** Runs of the named check step are repeated on the merged result; cached by tree. */
  check: stepName.optional(),
  squash: z.boolean().default(false),
  /** Who lets a pull request be merged; of no effect without a `pull-request` step. */
  policy: z.enum(["never", "when-approved", "when-green"]).default("when-approved"),
});
const pullRequestStep = z.strictObject({
  ...common,
  kind: z.literal("pull-request"),
  draft: z.boolean().default(false),
});
const waitCiStep = z.strictObject({
  ...common,
  kind: z.literal("wait-ci"),
  /** Where failing checks and reviews that ask for changes send the task. */
  onFailure: stepName,
  rounds: z.number().int().min(1).max(20).default(5),
  /** How long the first check may take to appear before the repository counts as having none. */
  grace: duration.default(60_000),
});

export const workflowStep = z.discriminatedUnion("kind", [
  agentStep,
  checkStep,
  commandStep,
  approvalStep,
  pullRequestStep,
  waitCiStep,
  mergeStep,
]);
export type WorkflowStep = z.infer<typeof workflowStep>;

const prepare = z.strictObject({
  commands,
  /** Paths that the commands produce and that are copied into every clone, e.g. `node_modules`. */
  outputs: z.array(z.string().min(1)).max(20).default([]),
  /** Registries that the commands may reach. */
  egress: egress.default([]),
});

export const workflow = z
  .strictObject({
    version: z.literal(1),
    prepare: prepare.nullable().default(null),
    /** Hosts that agents may reach beyond the gateway. */
    egress: egress.default([]),
    steps: z.array(workflowStep).min(1).max(30),
  })
  .superRefine((value, context) => {
    const positions = new Map<string, number>();
    for (const [index, step] of value.steps.entries()) {
      if (positions.has(step.name))
        context.addIssue({
          code: "custom",
          path: ["steps", index, "name"],
          message: "another step has this name already",
        });
      for (const [field, target] of backwardLinks(step)) {
        if (!positions.has(target))
          context.addIssue({
            code: "custom",
            path: ["steps", index, field],
            message: `it is not an earlier step; earlier steps: ${[...positions.keys()].join(", ") || "none"}`,
          });
      }
      positions.set(step.name, index);
    }
  });
/** What a task follows; frozen into the task when it is created. */
export type Workflow = z.infer<typeof workflow>;

function backwardLinks(step: WorkflowStep): [field: string, target: string][] {
  const links: [string, string | undefined][] =
    step.kind === "agent"
      ? [["onChanges", step.onChanges]]
      : step.kind === "check"
        ? [["onFailure", step.onFailure]]
        : step.kind === "approval"
          ? [["onReject", step.onReject]]
          : step.kind === "wait-ci"
            ? [["onFailure", step.onFailure]]
            : step.kind === "merge"
              ? [
                  ["onConflict", step.onConflict],
                  ["check", step.check],
                ]
              : [];
  return links.filter((link): link is [string, string] => link[1] !== undefined);
}

interface DefaultWorkflowParams {
  /** Commands of the check step; empty: the workflow has none. */
  readonly check: readonly string[];
  readonly prepare: z.input<typeof prepare> | null;
  /** How a hosted repository's pull requests are merged. Absent: our own merge queue. */
  readonly pullRequest?: {
    readonly policy: "never" | "when-approved" | "when-green";
    readonly squash: boolean;
  };
}

/** implement (code) → check → review → (pull request → CI →) merge, as the design's default. */
export function defaultWorkflow(params: Readonly<DefaultWorkflowParams>): Workflow {
  const hasCheck = params.check.length > 0;
  return workflow.parse({
    version: 1,
    prepare: params.prepare,
    steps: [
      { name: "implement", kind: "agent", role: "code" },
      ...(hasCheck
        ? [{ name: "check", kind: "check", commands: [...params.check], onFailure: "implement" }]
        : []),
      { name: "review", kind: "agent", role: "review", onChanges: "implement" },
      ...(params.pullRequest !== undefined
        ? [
            { name: "pull-request", kind: "pull-request" },
            { name: "ci", kind: "wait-ci", onFailure: "implement" },
          ]
        : []),
      {
        name: "merge",
        kind: "merge",
        onConflict: "implement",
        ...(hasCheck ? { check: "check" } : {}),
        ...params.pullRequest,
      },
    ],
  });
}
