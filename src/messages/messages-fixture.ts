import { onTestFinished } from "vitest";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import { createNotifier, type Database, type Notifier } from "../store/index.ts";
import { createTestDatabase, type TestDatabase } from "../store/testing.ts";
import { createMailboxes, type Mailboxes } from "./mailboxes.ts";
import { createQuestions, type Questions } from "./questions.ts";

export interface MessagesBundle {
  readonly db: TestDatabase;
  readonly database: Database;
  readonly notifier: Notifier;
  readonly mailboxes: Mailboxes;
  readonly questions: Questions;
  /** Lets every lease and every pause end now, by the database's clock. */
  expire(): Promise<void>;
}

/** A database with the tasks T1 and T2, of which T1 has the run R1, and what works on it. */
export async function setupMessages(): Promise<MessagesBundle> {
  const db = await createTestDatabase({ maxConnections: 10 });
  const { database, connectionUrl } = db;
  await database.query(`
    insert into miyabi.repositories (id, name, path, target_branch) values ('r', 'r', '/r', 'main');
    insert into miyabi.tasks (repository_id, source, title, body, class, own_deadline_at, deadline_at, workflow)
      select 'r', 'api', 'Title ' || n, '', 'P2', now(), now(), '{}' from generate_series(1, 2) n;
    insert into miyabi.runs (task_id, step_position, step, kind, queue, attempt, round, cause, job_id, state)
      values ('T1', 0, 'implement', 'agent', 'code', 1, 1, '{}', gen_random_uuid(), 'running')`);
  const notifier = createNotifier({
    connectionUrl,
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
  });
  const questions = createQuestions({ database, notifier, clock: systemClock });
  await notifier.start();
  onTestFinished(() => notifier.stop());
  return {
    db,
    database,
    notifier,
    mailboxes: createMailboxes({
      database,
      leaseMs: 60_000,
      rules: { maxAttempts: 3, retryBaseMs: 60_000, retryMaxMs: 600_000 },
    }),
    questions,
    expire: async () => {
      await database.query(
        "update miyabi.messages set leased_until = now() - interval '1 s' where leased_until is not null",
      );
    },
  };
}
