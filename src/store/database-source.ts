import { AppError, type Clock, type Service } from "../base/index.ts";
import { probeServer } from "./probe.ts";

/** Where the database is: an embedded server that we run, or one that someone else runs. */
export interface DatabaseSource extends Service {
  readonly kind: "embedded" | "external";
  /**
   * URL for `openDatabase`, `createNotifier` and the like; may hold a password, so it is never logged.
   * @throws database.unavailable before `start` has succeeded once.
   */
  connectionUrl(): string;
  /**
   * Resolves when the server is gone and `start` should be called again, or when `signal` aborts.
   * An external server is not ours to restart: only the signal ends the wait.
   */
  waitForExit(signal: AbortSignal): Promise<void>;
}

interface ExternalPostgresParams {
  /** `postgres://user:password@host:port/database`, as in `DATABASE_URL`. */
  readonly url: string;
  readonly clock: Clock;
  /** How long `start` waits for the server to answer. Default 30 s. */
  readonly startDeadlineMs?: number;
}

const RETRY_MS = 250;

/** A server given by `DATABASE_URL`. `start` waits until it answers; `stop` leaves it alone. */
export function createExternalPostgres(params: Readonly<ExternalPostgresParams>): DatabaseSource {
  return {
    name: "postgresql",
    kind: "external",
    connectionUrl: () => params.url,
    start: async () => {
      const deadline = params.clock.monotonicMs() + (params.startDeadlineMs ?? 30_000);
      for (;;) {
        const answer = await probeServer(params.url);
        if (answer.state === "ready") return;
        if (answer.state === "refused" || params.clock.monotonicMs() >= deadline)
          throw new AppError({
            code: "database.start_failed",
            message: `The database of DATABASE_URL does not answer: ${answer.reason}.`,
            fix: "Check host, port, user and password in DATABASE_URL, and that the server runs.",
            details: { reason: answer.state },
          });
        await params.clock.sleep(RETRY_MS);
      }
    },
    stop: () => Promise.resolve(),
    waitForExit: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      }),
  };
}
