import type { PermissionDesk } from "../agents/index.ts";
import type { Questions } from "../messages/index.ts";
import type { Database, Tx } from "../store/index.ts";

type Asked = Parameters<PermissionDesk["ask"]>[0];

interface PermissionDeskParams {
  readonly database: Database;
  readonly questions: Pick<Questions, "askIn" | "find">;
  /** Tells the host that asked. */
  readonly answer: (params: {
    readonly slot: string;
    readonly runId: string;
    readonly attempt: number;
    readonly requestId: string;
    /** Null: the request is cancelled. */
    readonly optionId: string | null;
  }) => void;
}

/**
 * Permission requests of agents as questions to people. What a request offers is kept in memory only: after a restart the
 * hosts ask again what they still wait for, and then get an answer that was given meanwhile.
 */
export function createPermissionDesk(params: Readonly<PermissionDeskParams>): PermissionDesk & {
  /** A question was answered or withdrawn; null: any of them may have been. */
  closed(questionId: string | null): Promise<void>;
} {
  const open = new Map<string, Asked>();

  const closed = async (questionId: string | null): Promise<void> => {
    for (const id of questionId === null ? [...open.keys()] : [questionId]) await pass(id);
  };

  const pass = async (questionId: string): Promise<void> => {
    const asked = open.get(questionId);
    if (asked === undefined) return;
    const found = await params.questions.find({ id: questionId });
    if (found?.answer.state === "waiting") return;
    open.delete(questionId);
    if (found?.answer.state !== "answered") return;
    const { answer } = found.answer;
    const { asker: slot, runId, attempt, requestId, options } = asked;
    const chosen = options[namesOf(options).indexOf(answer)];
    params.answer({ slot, runId, attempt, requestId, optionId: chosen?.id ?? null });
  };

  return {
    closed,
    ask: async (asked) => {
      const id = await params.database.transaction(async (tx) => {
        const taskId = await lockCurrentRun(tx, asked);
        if (taskId === null) return null;
        const question = await params.questions.askIn(tx, {
          kind: "permission",
          taskId,
          runId: asked.runId,
          asker: asked.asker,
          text: asked.title,
          options: namesOf(asked.options),
          dedupeKey: `permission:${asked.runId}:${asked.requestId}`,
        });
        // Before the commit: an answer cannot come earlier.
        open.set(question.id, asked);
        return question.id;
      });
      if (id === null) return "lost";
      await pass(id);
      return "asked";
    },
  };
}

/** The offered answers as people see them; two of the same name stay apart. */
function namesOf(options: Asked["options"]): string[] {
  const names = options.map(({ name }) => name);
  return options.map(({ name, kind }, index) => {
    const isFirst = names.indexOf(name) === index;
    return isFirst ? name : `${name} (${kind}, ${index + 1})`;
  });
}

/** Task of a run that is its holder's still, and stays so until the transaction ends; null where it is not. */
export async function lockCurrentRun(
  tx: Tx,
  { runId, attempt }: { readonly runId: string; readonly attempt: number },
): Promise<string | null> {
  // The task first, as everything that ends a run does.
  const { rows } = await tx.query<{ id: string }>(
    "select t.id from miyabi.tasks t where t.id = (select task_id from miyabi.runs where id = $1) for share",
    [runId],
  );
  const { rowCount } = await tx.query(
    "select 1 from miyabi.runs where id = $1 and attempt = $2 and state in ('leased', 'running')",
    [runId, attempt],
  );
  return rowCount === 1 ? (rows[0]?.id ?? null) : null;
}
