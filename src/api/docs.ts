import { createRequire } from "node:module";
import path from "node:path";
import type { FastifyInstance } from "fastify";
import { AppError } from "../base/index.ts";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>API of Miyabi Orchestra</title>
    <link rel="stylesheet" href="/api/docs/files/swagger-ui.css" />
  </head>
  <body>
    <div id="docs"></div>
    <script src="/api/docs/files/swagger-ui-bundle.js"></script>
    <script src="/api/docs/files/start.js"></script>
  </body>
</html>`;
// A file of its own, because the content security policy allows no script in a page. No validator: nothing leaves this machine.
const START = `SwaggerUIBundle({ url: "/api/docs/json", dom_id: "#docs", deepLinking: true, validatorUrl: null });`;
const FILES = new Set(["swagger-ui.css", "swagger-ui-bundle.js"]);

/** The API's documentation, made when somebody asks for it. Needs `reply.sendFile`. */
export function registerDocs(fastify: FastifyInstance, version: string): void {
  const config = { permission: "view" } as const;
  let document: unknown;
  let directory: string | null = null;
  fastify.get("/api/docs", { config }, (_request, reply) =>
    reply.type("text/html; charset=utf-8").send(PAGE),
  );
  fastify.get("/api/docs/json", { config }, async (_request, reply) => {
    if (document === undefined) {
      const { openApiDocument } = await import("./open-api.ts");
      document = openApiDocument(version);
    }
    return reply.send(document);
  });
  fastify.get("/api/docs/files/:file", { config }, (request, reply) => {
    const { file = "" } = request.params as { readonly file?: string };
    if (file === "start.js") return reply.type("text/javascript; charset=utf-8").send(START);
    if (!FILES.has(file))
      throw new AppError({ code: "not_found", message: `The documentation has no file "${file}".` });
    directory ??= path.join(
      path.dirname(createRequire(import.meta.url).resolve("@fastify/swagger-ui/package.json")),
      "static",
    );
    return reply.sendFile(file, directory);
  });
}
