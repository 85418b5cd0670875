import { z } from "zod";
import { AppError } from "../../base/index.ts";
import type { GitHubClient } from "./client.ts";

/**
 * An issue with who changed what, all of one moment: asked for apart, its text could be another one than the one that was judged.
 * Logins are as REST has them; null where GitHub does not know (any more) who it was.
 */
export interface IssueSnapshot {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly url: string;
  readonly isOpen: boolean;
  readonly labels: readonly string[];
  /** Of the body; null: never edited. */
  readonly edited: { readonly at: Date; readonly by: string | null } | null;
  /** Oldest first. */
  readonly events: readonly IssueEvent[];
  /** Issues that GitHub says it is blocked by, and its sub-issues; `reference`: `owner/name#12`, small letters. */
  readonly blockers: readonly { readonly reference: string; readonly isOpen: boolean }[];
}

export type IssueEvent =
  | {
      readonly type: "labelled";
      readonly id: string;
      readonly label: string;
      readonly at: Date;
      readonly by: string | null;
    }
  | { readonly type: "renamed" | "reopened"; readonly at: Date; readonly by: string | null };

const BATCH = 50;
const RELATED = "(first: 100) { nodes { number state repository { nameWithOwner } } }";
/** Fields that older servers of GitHub Enterprise do not have; there an issue depends on what its text says alone. */
export const OPTIONAL_FIELDS = ["blockedBy", "subIssues"] as const;
const factsWithout = (missing: ReadonlySet<string>): string =>
  `fragment facts on Issue { ${OPTIONAL_FIELDS.filter((name) => !missing.has(name))
    .map((name) => name + RELATED)
    .join(" ")} number title body url state lastEditedAt editor { __typename login }
  labels(first: 100) { nodes { name } }
  timelineItems(last: 100, itemTypes: [LABELED_EVENT, RENAMED_TITLE_EVENT, REOPENED_EVENT]) { nodes { __typename
    ... on LabeledEvent { id createdAt actor { __typename login } label { name } }
    ... on RenamedTitleEvent { createdAt actor { __typename login } }
    ... on ReopenedEvent { createdAt actor { __typename login } } } } }`;

/** Login of a GraphQL actor as REST has it. */
export const actorReply = z
  .object({ __typename: z.string(), login: z.string() })
  .nullable()
  // An app may have the name of a person; REST keeps the two apart by this ending.
  .transform((one) => (one === null ? null : one.__typename === "Bot" ? `${one.login}[bot]` : one.login));
const event = z.discriminatedUnion("__typename", [
  z.object({
    __typename: z.literal("LabeledEvent"),
    id: z.string(),
    createdAt: z.coerce.date(),
    actor: actorReply,
    label: z.object({ name: z.string() }),
  }),
  z.object({ __typename: z.literal("RenamedTitleEvent"), createdAt: z.coerce.date(), actor: actorReply }),
  z.object({ __typename: z.literal("ReopenedEvent"), createdAt: z.coerce.date(), actor: actorReply }),
]);
const related = z.object({
  nodes: z.array(
    z.object({
      number: z.number().int(),
      state: z.enum(["OPEN", "CLOSED"]),
      repository: z.object({ nameWithOwner: z.string() }),
    }),
  ),
});
const facts = z.object({
  blockedBy: related.default({ nodes: [] }),
  subIssues: related.default({ nodes: [] }),
  number: z.number().int(),
  title: z.string(),
  body: z.string(),
  url: z.string(),
  state: z.enum(["OPEN", "CLOSED"]),
  lastEditedAt: z.coerce.date().nullable(),
  editor: actorReply,
  labels: z.object({ nodes: z.array(z.object({ name: z.string() })) }),
  timelineItems: z.object({ nodes: z.array(event) }),
});
const reply = z.object({ repository: z.record(z.string(), facts.nullable()) });

/** Reads issues of a repository, many with one request. Those that are gone are missing. */
export async function readIssues(
  client: GitHubClient,
  name: string,
  numbers: readonly number[],
): Promise<ReadonlyMap<number, IssueSnapshot>> {
  const found = new Map<number, IssueSnapshot>();
  for (let from = 0; from < numbers.length; from += BATCH)
    for (const issue of await readBatch(client, name, numbers.slice(from, from + BATCH)))
      found.set(issue.number, issue);
  return found;
}

async function readBatch(
  client: GitHubClient,
  name: string,
  numbers: readonly number[],
): Promise<readonly IssueSnapshot[]> {
  const [owner, repo] = name.split("/");
  const missing = new Set(client.missingFields);
  const parts = numbers.map((number) => `i${number}: issue(number: ${number}) { ...facts }`).join(" ");
  const query = `query ($owner: String!, $repo: String!) { repository(owner: $owner, name: $repo) { ${parts} } } ${factsWithout(missing)}`;
  try {
    const { repository } = await client.graphql(query, { owner, repo }, reply);
    return Object.values(repository).flatMap((one) => (one === null ? [] : [toSnapshot(one)]));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (noteMissing(client, missing, error)) return readBatch(client, name, numbers);
    if (error.code !== "not_found") throw error;
    // One that is gone fails the whole question.
    if (numbers.length === 1) return [];
    const rest = await Promise.all(numbers.map((number) => readBatch(client, name, [number])));
    return rest.flat();
  }
}

/** Remembers fields that the server turns out not to have; false where the question failed for something else. */
function noteMissing(
  { missingFields }: GitHubClient,
  known: ReadonlySet<string>,
  { details }: AppError,
): boolean {
  const said = details["undefinedFields"];
  const found = OPTIONAL_FIELDS.filter(
    (name) => Array.isArray(said) && said.includes(name) && !known.has(name),
  );
  for (const name of found) missingFields.add(name);
  return found.length > 0;
}

function toSnapshot(issue: z.infer<typeof facts>): IssueSnapshot {
  return {
    number: issue.number,
    title: issue.title,
    body: issue.body,
    url: issue.url,
    isOpen: issue.state === "OPEN",
    labels: issue.labels.nodes.map(({ name }) => name),
    blockers: [...issue.blockedBy.nodes, ...issue.subIssues.nodes].map(({ number, state, repository }) => ({
      reference: `${repository.nameWithOwner.toLowerCase()}#${number}`,
      isOpen: state === "OPEN",
    })),
    edited: issue.lastEditedAt === null ? null : { at: issue.lastEditedAt, by: issue.editor },
    events: issue.timelineItems.nodes.map((one) =>
      one.__typename === "LabeledEvent"
        ? { type: "labelled", id: one.id, label: one.label.name, at: one.createdAt, by: one.actor }
        : {
            type: one.__typename === "ReopenedEvent" ? "reopened" : "renamed",
            at: one.createdAt,
            by: one.actor,
          },
    ),
  };
}

/** The last time that the label was set; null where nobody is known to have set it. Pure. */
export function lastLabelled(
  issue: IssueSnapshot,
  label: string,
): Extract<IssueEvent, { type: "labelled" }> | null {
  const found = issue.events.findLast(
    (one) => one.type === "labelled" && one.label.toLowerCase() === label.toLowerCase(),
  );
  return found?.type === "labelled" ? found : null;
}

/**
 * Who wrote title and body last, if that was after the label was set, or if it cannot be said which came first: the person who set
 * it did not see that. Pure.
 */
export function changedSince(
  issue: IssueSnapshot,
  labelled: Extract<IssueEvent, { type: "labelled" }>,
): readonly (string | null)[] {
  const { edited, events } = issue;
  const renamed = events.findLast(({ type }) => type === "renamed");
  const isLater =
    renamed !== undefined &&
    (renamed.at >= labelled.at || events.indexOf(renamed) > events.indexOf(labelled));
  return [
    ...(edited !== null && edited.at >= labelled.at ? [edited.by] : []),
    ...(isLater ? [renamed.by] : []),
  ];
}
