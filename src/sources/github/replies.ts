import { z } from "zod";

/** What we read of GitHub's replies; everything else in them is ignored. */
const user = z.object({ login: z.string() });
const label = z
  .union([z.string(), z.object({ name: z.string() })])
  .transform((one) => (typeof one === "string" ? one : one.name));

export const repositoryReply = z.object({
  id: z.number().int(),
  full_name: z.string(),
  clone_url: z.string(),
  default_branch: z.string(),
  archived: z.boolean(),
});

export const issueReply = z.object({
  number: z.number().int(),
  title: z.string(),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ""),
  state: z.enum(["open", "closed"]),
  user: user.nullable(),
  labels: z.array(label),
  updated_at: z.coerce.date(),
  html_url: z.string(),
  pull_request: z.object({}).optional(),
});
export type IssueReply = z.infer<typeof issueReply>;

export const issueStateReply = issueReply.pick({ state: true });
export const issueNumberReply = issueReply.pick({ number: true });

export const permissionReply = z.object({ permission: z.string() });

export const commentReply = z.object({
  id: z.number().int(),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ""),
  user: user.nullable(),
  created_at: z.coerce.date(),
  updated_at: z.coerce.date(),
  issue_url: z.string(),
});
export type CommentReply = z.infer<typeof commentReply>;

export const pullRequestReply = z.object({
  number: z.number().int(),
  html_url: z.string(),
  state: z.enum(["open", "closed"]),
  merged: z.boolean().default(false),
  mergeable: z
    .boolean()
    .nullish()
    .transform((value) => value ?? null),
  mergeable_state: z.string().default("unknown"),
  merge_commit_sha: z.string().nullable(),
  head: z.object({ ref: z.string(), sha: z.string() }),
  base: z.object({ ref: z.string(), sha: z.string() }),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ""),
  title: z.string(),
  merged_by: user.nullish(),
});
export type PullRequestReply = z.infer<typeof pullRequestReply>;

/** In lists some fields of the single reply are missing. */
export const pullRequestListReply = pullRequestReply.pick({
  number: true,
  html_url: true,
  state: true,
  head: true,
  body: true,
  title: true,
});

export const checkRunReply = z.object({
  id: z.number().int(),
  external_id: z.string().nullish(),
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
  html_url: z.string().nullish(),
  output: z
    .object({ title: z.string().nullish(), summary: z.string().nullish(), text: z.string().nullish() })
    .nullish(),
});
export type CheckRunReply = z.infer<typeof checkRunReply>;

export const combinedStatusReply = z.object({
  state: z.string(),
  statuses: z.array(
    z.object({
      context: z.string(),
      state: z.string(),
      description: z.string().nullish(),
      target_url: z.string().nullish(),
    }),
  ),
});
export type CombinedStatusReply = z.infer<typeof combinedStatusReply>;

export const reviewReply = z.object({
  id: z.number().int(),
  user: user.nullable(),
  state: z.string(),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ""),
  submitted_at: z.coerce.date().optional(),
  commit_id: z.string().nullish(),
});
export type ReviewReply = z.infer<typeof reviewReply>;

export const mergeReply = z.object({ sha: z.string(), merged: z.boolean() });
export const anything = z.unknown();

export const annotationReply = z.object({
  path: z.string(),
  start_line: z.number().int(),
  message: z.string().nullable(),
});
