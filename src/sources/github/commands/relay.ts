import { createLoop, type Clock, type Log, type Loop, type Random } from "../../../base/index.ts";
import type { Database, Notifier } from "../../../store/index.ts";
import { quoted } from "../write-back/pull-request-body.ts";
import { answerComment } from "./answer.ts";

interface RelayParams {
  readonly database: Database;
  readonly notifier: Pick<Notifier, "subscribe">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

// Announced by the mailboxes with the name of the one that has something new.
const MESSAGES_CHANNEL = "miyabi_messages";
const LOOK_MS = 60_000;

interface Row {
  readonly repository: string;
  readonly comment_id: string;
  readonly number: number;
  readonly task_id: string;
  readonly sender: string;
  readonly body: string;
}

// The oldest question of a task gets the first message that its agent writes to people after it.
const ANSWERED = `
select distinct on (c.task_id) c.repository, c.comment_id::text, c.number, c.task_id, m.sender, m.body
from miyabi.github_comments c join miyabi.messages m on m.task_id = c.task_id and m.recipient = 'person' and m.created_at > greatest(c.handled_at,
  (select max(o.answered_at) from miyabi.github_comments o where o.task_id = c.task_id))
where c.command = 'ask' and c.outcome = 'done' and c.answered_at is null
order by c.task_id, c.handled_at, m.number`;

/** Passes on what agents answer to `/miyabi ask`. */
export function createAnswerRelay(params: Readonly<RelayParams>): Loop {
  const { database } = params;
  let unsubscribe: (() => void) | null = null;
  const loop = createLoop({
    name: "github-answers",
    intervalMs: LOOK_MS,
    clock: params.clock,
    random: params.random,
    log: params.log,
    tick: async () => {
      const { rows } = await database.query<Row>(ANSWERED);
      for (const row of rows)
        await database.transaction(async (tx) => {
          const { rowCount } = await tx.query(
            "update miyabi.github_comments set answered_at = now() where repository = $1 and comment_id = $2 and answered_at is null",
            [row.repository, row.comment_id],
          );
          if (rowCount === 0) return;
          await answerComment(tx, params.random, row.task_id, {
            repository: row.repository,
            commentId: Number(row.comment_id),
            number: row.number,
            reaction: null,
            text: `${row.sender} answers:\n\n${quoted(row.body)}`,
          });
        });
    },
  });
  return {
    ...loop,
    start: () => {
      unsubscribe ??= params.notifier.subscribe(MESSAGES_CHANNEL, (told) => {
        if (told.kind === "missed" || told.payload === "person") loop.wake();
      });
      return loop.start();
    },
    stop: () => {
      unsubscribe?.();
      unsubscribe = null;
      return loop.stop();
    },
  };
}
