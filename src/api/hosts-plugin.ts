import type { Readable } from "node:stream";
import type { FastifyPluginAsync } from "fastify";
import { z } from "zod";
import type { HostHub } from "../agents/index.ts";
import { AppError } from "../base/index.ts";
import { runId } from "../contract/index.ts";
import { equalSecrets } from "../security/index.ts";
import { parseInput } from "./input.ts";

interface HostsPluginParams {
  readonly hub: Pick<HostHub, "accept">;
  readonly hostToken: string;
  /** Stores and validates a bundle; consumes the body. Repeatable. */
  readonly acceptHandover: (
    run: { readonly runId: string; readonly attempt: number },
    body: Readable,
  ) => Promise<"accepted" | "lost">;
  readonly maxHandoverBytes: number;
}

const pathSchema = z.object({ id: runId });
const querySchema = z.strictObject({ attempt: z.coerce.number().int().min(1).max(2_147_483_647) });

/** Routes of the agent hosts, with their own token: the connection, and the hand-over of a run's work (2xx accepted, 409 lost). */
export function createHostsPlugin(params: Readonly<HostsPluginParams>): FastifyPluginAsync {
  return async (fastify) => {
    fastify.addHook("onRequest", async (request) => {
      const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
      if (!equalSecrets(token, params.hostToken))
        throw new AppError({
          code: "api.unauthenticated",
          message: "This is no host of the installation.",
          fix: "Start hosts with the token that the installation's run/host-token holds.",
        });
    });
    // Bodies of this scope are hand-overs: streamed, never held in memory.
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    fastify.get("/api/hosts/connect", { websocket: true, config: { permission: "host" } }, (socket) =>
      params.hub.accept(socket),
    );
    fastify.put("/api/hosts/runs/:id/bundle", { config: { permission: "host" } }, async (request, reply) => {
      const { id } = parseInput(pathSchema, request.params, "path");
      const { attempt } = parseInput(querySchema, request.query, "query");
      const body = request.body as Readable | undefined;
      if (body === undefined)
        throw new AppError({ code: "input.invalid", message: "body: the hand-over is empty." });
      // Said before the first byte is read: a line that breaks half-way would look like a reason to try again.
      if (Number(request.headers["content-length"] ?? 0) > params.maxHandoverBytes)
        throw new AppError({
          code: "input.too_large",
          message: `The hand-over is larger than ${params.maxHandoverBytes} bytes.`,
          fix: "Raise `limits.handoverBytes` in miyabi.yaml, or leave large files out of the work.",
          details: { field: "content-length", value: request.headers["content-length"] },
        });
      if ((await params.acceptHandover({ runId: id, attempt }, body)) === "lost")
        throw new AppError({ code: "lease.lost", message: `The run ${id} is not this host's any more.` });
      return reply.code(204).send();
    });
    return Promise.resolve();
  };
}
