import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { AppError } from "../base/index.ts";
import { attachmentId } from "../contract/index.ts";
import type { Access } from "./access.ts";
import { parseInput } from "./input.ts";

/** An attachment of a person's; null where there is none or it is somebody else's. */
export type ReadChatFile = (
  person: string,
  id: string,
) => Promise<{ readonly name: string; readonly mediaType: string; readonly content: Buffer } | null>;

/** Contents of attachments: images are shown, everything else is only saved. */
export function registerChatFiles(
  fastify: FastifyInstance,
  params: { readonly access: Pick<Access, "callerOf">; readonly read: ReadChatFile },
): void {
  const config = { permission: "view" } as const;
  fastify.get("/api/chat/attachments/:id/content", { config }, async (request, reply) => {
    const { id } = parseInput(z.object({ id: attachmentId }), request.params, "path");
    const file = await params.read(params.access.callerOf(request).name, id);
    if (file === null)
      throw new AppError({ code: "not_found", message: "There is no such attachment of yours." });
    const isImage = file.mediaType.startsWith("image/");
    return reply
      .header("content-type", isImage ? file.mediaType : "text/plain; charset=utf-8")
      .header(
        "content-disposition",
        `${isImage ? "inline" : "attachment"}; filename*=UTF-8''${encodeURIComponent(file.name)}`,
      )
      .header("cache-control", "private, max-age=86400, immutable")
      .send(file.content);
  });
}
