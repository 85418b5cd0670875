import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import { AppError } from "../base/index.ts";
import { ROUTES, type Route, type RouteName } from "../contract/index.ts";
import { allows, type Identity } from "../security/index.ts";
import type { Access } from "./access.ts";

type Part<R, K extends string> =
  R extends Record<K, infer S extends z.ZodType> ? z.output<S> : Record<never, never>;

/** What a handler gets: checked parts of the request. */
export interface HandlerInput<R> {
  readonly params: Part<R, "params">;
  readonly query: Part<R, "query">;
  readonly body: Part<R, "body">;
  readonly caller: Identity;
  readonly idempotencyKey: string | null;
}

/** One handler per route of the contract; a missing one does not compile. */
export type Handlers = {
  readonly [Name in RouteName]: (
    input: HandlerInput<(typeof ROUTES)[Name]>,
  ) => Promise<z.input<(typeof ROUTES)[Name]["response"]>>;
};

/** Registers every route of the contract with its checks: who, what, then the handler. */
export function registerRoutes(fastify: FastifyInstance, access: Access, handlers: Handlers): void {
  for (const [name, route] of Object.entries(ROUTES) as [RouteName, Route][]) {
    const handler = handlers[name] as (input: HandlerInput<Route>) => Promise<unknown>;
    fastify.route({
      method: route.method,
      url: route.path,
      config: { permission: route.permission },
      handler: async (request, reply) => {
        const caller = await access.identify(request);
        if (!allows(caller, route.permission))
          throw new AppError({
            code: "api.forbidden",
            message: `This needs the permission "${route.permission}".`,
          });
        const result = await handler({
          params: checked(route.params, request.params, "path") as never,
          query: checked(route.query, request.query, "query") as never,
          body: checked(route.body, request.body ?? {}, "body") as never,
          caller,
          idempotencyKey: headerOf(request, "idempotency-key"),
        });
        return reply.code(route.status ?? 200).send(result);
      },
    });
  }
}

function headerOf(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === "string" && value !== "" ? value.slice(0, 200) : null;
}

function checked(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (schema === undefined) return {};
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const field = issue.path.map(String).join(".") || where;
    return { field, message: issue.message };
  });
  const first = problems[0];
  throw new AppError({
    code: "input.invalid",
    message: problems.map((problem) => `${problem.field}: ${problem.message}`).join("; "),
    fix: `Correct ${first?.field ?? where}.`,
    details: { field: first?.field, problems },
  });
}
