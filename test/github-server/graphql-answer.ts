import type { Issue, Repository, State } from "./state.ts";

interface Asked {
  readonly state: State;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Of a mutation. */
  readonly input: Readonly<Record<string, unknown>>;
  /** That `owner`, `repo` and `number` name. */
  readonly repository: Repository | undefined;
  readonly pull: Issue | undefined;
}
type Answer = { readonly data: object | null; readonly errors?: readonly object[] };
export type Graphql = (asked: Asked) => Answer | Promise<Answer>;

export const failed = (type: string, message: string): Answer => ({
  data: null,
  errors: [{ type, message }],
});

export const pullId = ({ owner, name }: Repository, { number }: Issue): string =>
  `PR_${owner}/${name}#${number}`;

export function pullById(
  state: State,
  id: unknown,
): { readonly repository: Repository; readonly pull: Issue } | null {
  for (const repository of state.repositories.values())
    for (const pull of repository.issues.values())
      if (pull.pull !== null && pullId(repository, pull) === id) return { repository, pull };
  return null;
}
