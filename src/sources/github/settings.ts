import { z } from "zod";

/** Name of a variable of `.env`; the value itself never stands in a configuration file. */
const secretName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "the name of a variable in .env, e.g. GITHUB_TOKEN");

const repository = z.strictObject({
  /** `owner/name`. */
  name: z.string().regex(/^[A-Za-z0-9][\w.-]*\/[\w.-]+$/, "a repository looks like owner/name"),
  /** Branch that changes are merged into; null: the repository's default branch. */
  branch: z.string().min(1).nullable().default(null),
  /** Label that starts an issue. */
  label: z.string().min(1).max(50).default("miyabi"),
  /** Who lets a pull request be merged. */
  merge: z.enum(["never", "when-approved", "when-green"]).default("when-approved"),
  method: z.enum(["merge", "squash", "rebase"]).default("squash"),
  /** Paths beyond the built-in ones of which a person approves every change: `dir/`, `*.pem`, `deploy/**`. */
  protect: z.array(z.string().min(1).max(200)).max(200).default([]),
  /** People who may start, steer and approve without write access. */
  trusted: z.array(z.string()).max(200).default([]),
});

const webhooks = z.strictObject({
  /** Port of the listener; it has one route, `/webhooks/github`. */
  port: z.number().int().min(1).max(65_535).default(8_001),
  /** Address to listen on. The default is for a proxy or tunnel on this machine, which adds TLS. */
  host: z.string().min(1).default("127.0.0.1"),
  /** The webhook's secret. */
  secretEnv: secretName,
  /** The secret before that, while it is being changed. */
  previousSecretEnv: secretName.optional(),
  /** Larger deliveries are refused; GitHub's largest have 25 MB. Bytes. */
  maxBytes: z
    .number()
    .int()
    .min(10_000)
    .max(26_214_400)
    .default(5 * 1024 * 1024),
  maxConnections: z.number().int().min(1).max(10_000).default(100),
  /** Address under which GitHub reaches the listener, `https://hooks.example.com`; `doctor` tries it out. */
  publicUrl: z.url({ protocol: /^https?$/ }).optional(),
});
export type WebhookSettings = z.infer<typeof webhooks>;

/** GitHub's limits for what one account writes. Defaults: as its documentation states them. */
const writes = z.strictObject({
  perMinute: z.number().int().min(1).max(100_000).default(80),
  perHour: z.number().int().min(1).max(1_000_000).default(500),
  /** Between two writes. Milliseconds. */
  gapMs: z.number().int().min(0).max(60_000).default(1_000),
});

/** GitHub Enterprise Server has no such limits unless somebody switches them on. Pure. */
const isGitHubCloud = (apiUrl: string): boolean =>
  /^api\.(github\.com|.+\.ghe\.com)$/.test(new URL(apiUrl).hostname);

/** Null: what is written is not limited. Pure. */
export function writeLimitsOf({
  apiUrl,
  writes: given,
}: Pick<GitHubSettings, "apiUrl" | "writes">): z.infer<typeof writes> | null {
  return given === undefined && isGitHubCloud(apiUrl) ? writes.parse({}) : (given ?? null);
}

const classify = z.strictObject({
  /** Model of the gateway that is asked. */
  model: z.string().min(1).max(200),
  /** Labels that it may choose, each with when it fits. The label that starts issues may be among them. */
  labels: z
    .record(z.string().min(1).max(50), z.string().min(1).max(300))
    .refine((labels) => Object.keys(labels).length > 0, "give at least one label")
    .refine((labels) => Object.keys(labels).length <= 50, "give 50 labels at most"),
  /** Whether issues of people without write access are asked about too; labels are only suggested then, never set. */
  suggestToOthers: z.boolean().default(false),
  /** What all these calls may cost a day. USD. */
  dayUsd: z.number().positive().max(10_000).default(1),
  /** What they may cost a month; null: no limit beyond the daily one. USD. */
  monthUsd: z.number().positive().max(100_000).nullable().default(null),
});
export type ClassifySettings = z.infer<typeof classify>;

/** Section `github` of `miyabi.yaml`. */
export const githubSettings = z
  .strictObject({
    /** Another one for GitHub Enterprise: `https://HOST/api/v3`. */
    apiUrl: z.url({ protocol: /^https?$/ }).default("https://api.github.com"),
    token: secretName.optional(),
    app: z.strictObject({ id: z.number().int().positive(), privateKey: secretName }).optional(),
    /** How often changes are asked for. Seconds. */
    pollSeconds: z.number().int().min(1).max(3_600).default(60),
    /** How much is written in an hour and a minute; null: no limits. Default: GitHub's own for github.com, none for GitHub Enterprise Server. */
    writes: writes.nullable().optional(),
    /** Where GitHub tells us of changes at once; absent: we only ask. */
    webhooks: webhooks.optional(),
    /** Labels that set the class. */
    classes: z
      .record(z.string(), z.enum(["P0", "P1", "P2"]))
      .default({ "priority:P0": "P0", "priority:P1": "P1", "priority:P2": "P2" }),
    /** Labels that choose the agent, the workflow and who implements; of several the first that says something counts. */
    routes: z
      .array(
        z.strictObject({
          label: z.string().min(1).max(50),
          /** Agent profile for every agent step. */
          profile: z.string().min(1).optional(),
          /** `.miyabi/workflows/NAME.yaml` of the repository. */
          workflow: z.string().min(1).optional(),
          /** Role of the first agent step. */
          role: z.string().min(1).optional(),
        }),
      )
      .max(100)
      .default([]),
    /** Open tasks of one repository at most; further issues wait for their turn. */
    maxOpenTasks: z.number().int().min(1).max(10_000).default(50),
    /** Issues of all repositories that become tasks within 60 seconds at most; further ones wait for their turn. */
    maxStartsPerMinute: z.number().int().min(1).max(10_000).default(60),
    /** A model chooses the labels of issues that have none; absent: no model is ever asked. */
    classify: classify.optional(),
    repositories: z.array(repository).min(1).max(500),
  })
  .superRefine((value, context) => {
    if ((value.token === undefined) === (value.app === undefined))
      context.addIssue({
        code: "custom",
        path: ["token"],
        message: "give either token (the name of a fine-grained token in .env) or app",
      });
    const names = value.repositories.map(({ name }) => name.toLowerCase());
    for (const [index, name] of names.entries())
      if (names.indexOf(name) !== index)
        context.addIssue({
          code: "custom",
          path: ["repositories", index, "name"],
          message: `"${name}" is listed twice`,
        });
  });
export type GitHubSettings = z.infer<typeof githubSettings>;
export type RepositorySettings = GitHubSettings["repositories"][number];
