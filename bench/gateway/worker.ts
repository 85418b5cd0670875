import { fork } from "node:child_process";
import { once } from "node:events";

/** Functions that a process of its own runs for us; they take and give what JSON can say. */
export type Tasks = Readonly<Record<string, (params: never) => unknown>>;

export interface Worker<T extends Tasks> {
  readonly pid: number;
  ask<Name extends keyof T & string>(
    name: Name,
    ...params: Parameters<T[Name]>
  ): Promise<Awaited<ReturnType<T[Name]>>>;
  stop(): Promise<void>;
}

interface Question {
  readonly id: number;
  readonly name: string;
  readonly params: never;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Starts a program whose first act is `serveTasks`. */
export function startWorker<T extends Tasks>(program: string): Worker<T> {
  const child = fork(program, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const open = new Map<number, (answer: Answer) => void>();
  let count = 0;
  child.on("message", (message) => {
    const answer = message as Answer;
    open.get(answer.id)?.(answer);
    open.delete(answer.id);
  });
  child.on("exit", () => {
    for (const [id, done] of open) done({ id, error: `${program} ended.` });
    open.clear();
  });
  return {
    pid: child.pid ?? 0,
    ask: (name, ...params) =>
      new Promise((resolve, reject) => {
        count += 1;
        open.set(count, ({ result, error }) => {
          if (error === undefined) resolve(result as never);
          else reject(new Error(error));
        });
        child.send({ id: count, name, params: params[0] });
      }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** In the process: answers questions until the asker is gone. */
export function serveTasks(tasks: Tasks): void {
  process.on("message", (message) => {
    const { id, name, params } = message as Question;
    const reply = (answer: Answer): void => void process.send?.(answer);
    void Promise.resolve()
      .then(() => tasks[name]?.(params))
      .then(
        (result) => reply({ id, result }),
        (error: unknown) => reply({ id, error: String(error) }),
      );
  });
  process.on("disconnect", () => process.exit(0));
}
