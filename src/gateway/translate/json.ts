import { objectOf, type JsonObject } from "../usage/usage.ts";

/** Readers for answers of providers, which are taken as they come: what is missing is empty. */
export function stringOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}
