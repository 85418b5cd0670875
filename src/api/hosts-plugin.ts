import type { FastifyPluginAsync } from "fastify";
import type { Readable } from "node:stream";
import { AppError } from "../base/index.ts";
import { equalSecrets } from "../security/index.ts";
import type { HostHub } from "../agents/index.ts";

interface HostsPluginParams {
  readonly hub: HostHub;
  readonly hostToken: string;
  readonly acceptHandover: (
    run: { readonly runId: string; readonly attempt: number },
    body: Readable,
  ) => Promise<"accepted" | "lost">;
  readonly maxHandoverBytes: number;
}

/** Routes of the agent hosts, with their own token. */
export function createHostsPlugin(params: Readonly<HostsPluginParams>): FastifyPluginAsync {
  return async (fastify) => {
    fastify.addHook("onRequest", async (request) => {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
      if (!equalSecrets(token, params.hostToken))
        throw new AppError({ code: "api.unauthenticated", message: "This is no host of the installation." });
    });
    // Bodies of this scope are hand-overs: streamed, never held in memory.
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    fastify.get("/api/hosts/connect", { websocket: true, config: { permission: "host" } }, (socket) =>
      params.hub.accept(socket),
    );
    fastify.put(
      "/api/hosts/runs/:id/bundle",
      { bodyLimit: params.maxHandoverBytes + 1, config: { permission: "host" } },
      async (request, reply) => {
        const { id } = request.params as { id: string };
        const attempt = Number((request.query as { attempt?: string }).attempt);
        const outcome = await params.acceptHandover({ runId: id, attempt }, request.body as Readable);
        if (outcome === "lost")
          throw new AppError({ code: "lease.lost", message: `The run ${id} is not this host's any more.` });
        return reply.code(204).send();
      },
    );
    return Promise.resolve();
  };
}
