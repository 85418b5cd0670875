import type { z } from "zod";
import { Untranslatable } from "../pipeline/translation.ts";
import type { Spoken } from "./conversation.ts";

const TITLES: Readonly<Record<Spoken, string>> = {
  messages: "Anthropic's messages",
  chat_completions: "OpenAI's chat completions",
  responses: "OpenAI's responses",
  generate_content: "Gemini's generateContent",
};

/** A field that has no counterpart where the request goes. */
export function cannotCarry(field: string, to: Spoken | null = null): Untranslatable {
  const where = to === null ? "a provider of another dialect" : `a provider that speaks ${TITLES[to]}`;
  return new Untranslatable(
    `${field}: this cannot be said to ${where}. Leave it out, or use a model whose provider speaks your dialect.`,
  );
}

/**
 * The body as a schema wants it.
 * @throws Untranslatable naming the first field that is wrong
 */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.map(String) ?? [];
  const field = path.length === 0 ? "body" : path.join(".");
  if (issue?.code === "invalid_union") {
    const value = valueAt(body, issue.path);
    throw cannotCarry(typeof value === "string" ? `${field} "${value.slice(0, 100)}"` : field);
  }
  throw new Untranslatable(`${field}: ${issue?.message ?? "Invalid"}`);
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    body,
  );
}

/** Fields that change what is answered and have no counterpart anywhere else, each with the values that say nothing. */
export type Refused = Readonly<Record<string, (value: unknown) => boolean>>;

export const isFalse = (value: unknown): boolean => value === false;
export const isEmpty = (value: unknown): boolean =>
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);
export const isOneOf =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);
export const never = (): boolean => false;

/** @throws Untranslatable naming the first such field that says something */
export function refuseFields(body: Readonly<Record<string, unknown>>, refused: Refused): void {
  for (const [field, saysNothing] of Object.entries(refused)) {
    const value = body[field];
    if (value !== undefined && value !== null && !saysNothing(value)) throw cannotCarry(field);
  }
}
