import type { TranscriptBody, TranscriptItem } from "../../src/contract/index.ts";
import { eventually, type TestInstallation } from "./installation.ts";

/** What tests look at of a task; the contract has more. */
export interface TaskFacts {
  readonly id: string;
  readonly state: string;
  readonly waitsFor: string | null;
  readonly reason: { readonly code: string; readonly message: string } | null;
  readonly mergeCommit: string | null;
  readonly rounds: number;
  readonly costMicros: number | null;
  readonly takenOver: boolean;
  readonly actions: readonly string[];
  readonly runs: readonly {
    readonly id: string;
    readonly attempt: number;
    readonly kind: string;
    readonly step: string;
    readonly state: string;
    readonly slot: string | null;
    readonly tokensIn: number | null;
  }[];
}

/** Waits until the product answers and every agent of the team waits for work. */
export async function waitUntilIdle(product: TestInstallation): Promise<void> {
  await eventually("every agent is connected", 60_000, async () => {
    const agents = await product.get<{ items: { state: string }[] }>("/api/agents");
    return agents !== null && agents.items.every(({ state }) => state === "idle");
  });
}

/** Waits until a task is as wanted. The error says what it was instead, with what its agents did. */
export async function waitForTask(
  product: TestInstallation,
  id: string,
  isSo: (task: TaskFacts) => boolean,
  timeoutMs = 60_000,
): Promise<TaskFacts> {
  let last: TaskFacts | null = null;
  try {
    return await eventually(`${id} is as expected`, timeoutMs, async () => {
      last = (await product.get<TaskFacts>(`/api/tasks/${id}`)) ?? last;
      return last !== null && isSo(last) && last;
    });
  } catch (error) {
    const { stdout } = await product.cli("logs", "--task", id);
    throw new Error(`${String(error)}\n${JSON.stringify(last, null, 2)}\n${stdout}`, { cause: error });
  }
}

/** Nothing happens to the task any more by itself. */
export const hasEnded = ({ state, waitsFor }: TaskFacts): boolean =>
  ["done", "failed", "cancelled"].includes(state) || waitsFor === "person";

/** Everything that happened in the task's runs, oldest first. */
export async function transcriptOf(
  product: TestInstallation,
  task: Pick<TaskFacts, "runs">,
): Promise<readonly TranscriptBody[]> {
  const pages = await Promise.all(
    task.runs.map((run) =>
      product.get<{ items: TranscriptItem[] }>(`/api/runs/${run.id}/transcript?limit=2000`),
    ),
  );
  return pages.flatMap((page) => (page?.items ?? []).map((item) => item.body));
}

/** When the first agent of a task was told what to do, ms since 1970; null: not yet. */
export async function firstPromptAt(product: TestInstallation, taskId: string): Promise<number | null> {
  const runId = (await product.get<TaskFacts>(`/api/tasks/${taskId}`))?.runs[0]?.id;
  if (runId === undefined) return null;
  const page = await product.get<{ items: TranscriptItem[] }>(`/api/runs/${runId}/transcript`);
  const prompt = page?.items.find(({ body }) => body.kind === "prompt");
  return prompt === undefined ? null : Date.parse(prompt.at);
}
