import { isDeepStrictEqual } from "node:util";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { AppError } from "../base/index.ts";
import { ROUTES, type Route, type RouteName } from "../contract/index.ts";
import type { Identity } from "../security/index.ts";
import type { Access } from "./access.ts";
import type { FirstAnswers } from "./first-answers.ts";
import { parseInput } from "./input.ts";

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

interface RegisterParams {
  readonly access: Access;
  readonly handlers: Handlers;
  readonly firstAnswers: FirstAnswers;
  /** Compare every answer with the contract; for tests, since the compiler has done so already. */
  readonly checkAnswers: boolean;
}

/** Creating a task has its own idempotency, in the task's transaction; login links and keys are secrets, so they are kept nowhere. */
const NOT_KEPT: ReadonlySet<RouteName> = new Set<RouteName>([
  "createTask",
  "createLoginLink",
  "createGatewayKey",
  "setProviderKey",
]);
const LONGEST_KEY = 200;

/** Registers every route of the contract: input checked, handler, answer. Access is checked by the guard before. */
export function registerRoutes(fastify: FastifyInstance, params: Readonly<RegisterParams>): void {
  for (const [name, route] of Object.entries(ROUTES) as [RouteName, Route][]) {
    const handler = params.handlers[name] as (input: HandlerInput<Route>) => Promise<unknown>;
    const querySchema = route.query?.strict() ?? z.strictObject({});
    const paramsSchema = route.params ?? z.object({});
    const bodySchema = route.body ?? z.unknown();
    fastify.route({
      method: route.method,
      url: route.path,
      config: { permission: route.permission },
      exposeHeadRoute: false,
      ...(route.maxBodyBytes === undefined ? {} : { bodyLimit: route.maxBodyBytes }),
      handler: async (request, reply) => {
        const caller = params.access.callerOf(request);
        const key = idempotencyKeyOf(request);
        const input = {
          params: parseInput(paramsSchema, request.params, "path"),
          query: parseInput(querySchema, request.query, "query"),
          body: parseInput(bodySchema, request.body ?? {}, "body"),
        };
        const call = (): Promise<unknown> =>
          handler({ ...input, caller, idempotencyKey: key } as HandlerInput<Route>);
        const answer =
          key === null || route.method === "GET" || NOT_KEPT.has(name)
            ? await call()
            : await params.firstAnswers.answer({
                caller: caller.name,
                route: name,
                key,
                request: input,
                answer: call,
              });
        if (params.checkAnswers) checkAnswer(name, route.response, answer);
        return reply.code(route.status ?? 200).send(answer);
      },
    });
  }
}

/** @throws input.invalid */
function idempotencyKeyOf(request: FastifyRequest): string | null {
  const value = request.headers["idempotency-key"];
  if (value === undefined) return null;
  if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value) && value.length <= LONGEST_KEY) return value;
  throw new AppError({
    code: "input.invalid",
    message: `idempotency-key: it has 1 to ${LONGEST_KEY} visible ASCII characters.`,
    fix: "Send a UUID.",
    details: { field: "idempotency-key" },
  });
}

/** @throws internal.bug where the answer is not exactly what the contract says, fields too many included */
function checkAnswer(name: string, schema: z.ZodType, answer: unknown): void {
  const sent: unknown = JSON.parse(JSON.stringify(answer));
  const result = schema.safeParse(sent);
  if (result.success && isDeepStrictEqual(JSON.parse(JSON.stringify(result.data)), sent)) return;
  throw new AppError({
    code: "internal.bug",
    message: `The answer of ${name} differs from the contract: ${result.success ? "fields that it does not have" : z.prettifyError(result.error)}`,
  });
}
