import { z } from "zod";
import { problem, ROUTES, type Route } from "../contract/index.ts";

const schemaOf = (schema: z.ZodType, io: "input" | "output"): unknown =>
  z.toJSONSchema(schema, { io, unrepresentable: "any" });

/** The API's description (OpenAPI 3.1), made from the contract. */
export function openApiDocument(version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries(ROUTES) as [string, Route][]) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    const parameters = [...parametersOf(route.params, "path"), ...parametersOf(route.query, "query")];
    (paths[path] ??= {})[route.method.toLowerCase()] = {
      operationId: name,
      summary: route.summary,
      "x-permission": route.permission,
      parameters,
      ...(route.body === undefined
        ? {}
        : { requestBody: { content: { "application/json": { schema: schemaOf(route.body, "input") } } } }),
      responses: {
        [route.status ?? 200]: {
          description: "Success",
          content: { "application/json": { schema: schemaOf(route.response, "output") } },
        },
        default: {
          description: "Problem",
          content: { "application/problem+json": { schema: schemaOf(problem, "output") } },
        },
      },
    };
  }
  return { openapi: "3.1.0", info: { title: "Miyabi Orchestra", version }, paths };
}

function parametersOf(schema: z.ZodObject | undefined, where: "path" | "query"): unknown[] {
  if (schema === undefined) return [];
  return Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: where,
    required: where === "path",
    schema: schemaOf(field as z.ZodType, "input"),
  }));
}
