/** What is a user's own and not a name of ours. */
const OPAQUE = new Set([
  "args",
  "response",
  "parameters",
  "parametersJsonSchema",
  "responseSchema",
  "responseJsonSchema",
]);

/** Google takes its fields in snake_case as well: here they are all in camelCase. Values of users stay as they are. */
export function withCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withCamelCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      return [name, OPAQUE.has(name) ? inner : withCamelCase(inner)];
    }),
  );
}

/** Google's older schemas write types in capitals; elsewhere they are in small letters. */
export function withPlainTypes(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withPlainTypes);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, inner]) => [
      key,
      key === "type" && typeof inner === "string" ? inner.toLowerCase() : withPlainTypes(inner),
    ]),
  );
}
