import type { FastifyInstance } from "fastify";
import { AppError, errnoOf } from "../base/index.ts";
import { findPortHolder } from "./port-holder.ts";

/** Starts to listen. @throws port.taken naming the port, who holds it and the setting; config.invalid where the port is not allowed or no such address exists. */
export async function listen(
  fastify: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  try {
    await fastify.listen({ host, port });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "EACCES" || errno === "EADDRNOTAVAIL")
      throw new AppError({
        code: "config.invalid",
        message:
          errno === "EACCES"
            ? `port: this user may not listen on port ${port}.`
            : `${host} is no address of this machine.`,
        fix: "Choose a port from 1024 on: --port, or `port:` in miyabi.yaml.",
        details: { field: "port", value: port },
        cause: error,
      });
    if (errno !== "EADDRINUSE") throw error;
    const holder = await findPortHolder(port);
    throw new AppError({
      code: "port.taken",
      message: `Port ${port} on ${host} is in use by ${holder ?? "another program"}.`,
      fix: `End that program, or choose another port: --port ${port + 1}, or \`port: ${port + 1}\` in miyabi.yaml.`,
      details: { field: "port", value: port, holder },
      cause: error,
    });
  }
}
