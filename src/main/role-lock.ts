import net from "node:net";
import { AppError, errnoOf } from "../base/index.ts";

export interface RoleLock {
  release(): void;
}

interface LockParams {
  readonly role: string;
  /** Of the data directory, so that installations do not meet. */
  readonly instance: string;
  readonly home: string;
}

/**
 * Holds a role of an installation for as long as this process lives: an abstract unix socket, which the kernel frees
 * with the process however it ends, so there is nothing stale to clean up.
 * @throws daemon.already_running where another process holds it.
 */
export async function holdRole(params: Readonly<LockParams>): Promise<RoleLock> {
  const server = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        errnoOf(error) === "EADDRINUSE"
          ? new AppError({
              code: "daemon.already_running",
              message: `miyabi runs already on ${params.home} (${params.role}).`,
              fix: "miyabi status, or miyabi shutdown; set MIYABI_HOME for a second installation.",
            })
          : error,
      ),
    );
    server.listen(socketOf(params), resolve);
  });
  server.unref();
  return { release: () => server.close() };
}

/** Whether a process holds the role now. */
export function isRoleHeld(params: Readonly<Pick<LockParams, "role" | "instance">>): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(socketOf(params));
    const answer = (held: boolean): void => {
      socket.destroy();
      resolve(held);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
  });
}

const socketOf = ({ instance, role }: Readonly<Pick<LockParams, "role" | "instance">>): string =>
  `\0miyabi-${instance}-${role}`;
