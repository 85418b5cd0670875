import { QUEUE_QUERIES } from "./merge-queue.ts";
import { THREAD_QUERIES } from "./review-threads.ts";
import type { Reply } from "./routes.ts";
import type { State } from "./state.ts";

/** What GraphQL says of pull requests; null where it was asked for something else. */
export async function askPulls(
  state: State,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<Reply | null> {
  const found = [...QUEUE_QUERIES, ...THREAD_QUERIES].find(([pattern]) => pattern.test(query));
  if (found === undefined) return null;
  const repository = state.repositories.get(
    `${String(variables["owner"])}/${String(variables["repo"])}`.toLowerCase(),
  );
  const body = await found[1]({
    state,
    variables,
    input: (variables["input"] ?? {}) as Record<string, unknown>,
    repository,
    pull: repository?.issues.get(Number(variables["number"])),
  });
  return { status: 200, body };
}
