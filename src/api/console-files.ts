import { existsSync } from "node:fs";
import path from "node:path";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "../base/index.ts";

const HASHED = /^\/assets\/[^/]+-[\w-]{8,}\.\w+$/;
const NOT_PAGES = /^\/(api|v1|mcp|metrics|healthz)(\/|$)/;
const NOT_BUILT =
  '<!doctype html><html lang="en"><title>Miyabi Orchestra</title><p>The console is not built yet. Run <code>npm run build</code>, then reload.</p></html>';

/**
 * The built console: hashed files may be kept for ever, everything else is asked for again. A path that is no file is a
 * page of the console, except below the API. Needs `reply.sendFile`.
 */
export function registerConsole(fastify: FastifyInstance, webDir: string): void {
  const known = new Map<string, Set<string>>();
  fastify.addHook("onRoute", ({ url, method }) => {
    if (url.includes("*")) return;
    const methods = known.get(url) ?? new Set();
    known.set(url, methods);
    for (const one of [method].flat()) methods.add(one);
  });

  fastify.get("/*", { config: { permission: "public" } }, (request, reply) => {
    const pathname = pathOf(request);
    if (NOT_PAGES.test(pathname)) return reply.callNotFound();
    void reply.header(
      "cache-control",
      HASHED.test(pathname) ? "public, max-age=31536000, immutable" : "no-cache",
    );
    if (path.extname(pathname) !== "") return reply.sendFile(pathname, webDir, { cacheControl: false });
    return page(reply, webDir);
  });

  fastify.setNotFoundHandler((request) => {
    const pathname = pathOf(request);
    const allowed = [...known]
      .filter(([url]) => patternOf(url).test(pathname))
      .flatMap(([, methods]) => [...methods]);
    if (allowed.length > 0 && !allowed.includes(request.method))
      throw new AppError({
        code: "api.method_not_allowed",
        message: `${pathname} takes ${allowed.join(", ")}, not ${request.method}.`,
        fix: "/api/docs lists what there is.",
        details: { allowed },
      });
    throw new AppError({
      code: "not_found",
      message: `There is nothing at ${request.method} ${pathname}.`,
      fix: "/api/docs lists what there is.",
    });
  });
}

function page(reply: FastifyReply, webDir: string): FastifyReply {
  // Looked at each time: the first start builds the console while this server already runs.
  if (existsSync(path.join(webDir, "index.html")))
    return reply.sendFile("index.html", webDir, { cacheControl: false });
  return reply.code(503).type("text/html; charset=utf-8").send(NOT_BUILT);
}

const pathOf = (request: FastifyRequest): string => request.url.split("?")[0]?.slice(0, 500) ?? "";

const patternOf = (url: string): RegExp =>
  new RegExp(`^${url.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/:\w+/g, "[^/]+")}$`);
