import { messageOf } from "../../../base/index.ts";

/** Message of an error with the data that JSON-RPC errors carry. Pure. */
export function describeError(error: unknown): string {
  const message = messageOf(error);
  if (typeof error !== "object" || error === null || !("data" in error) || error.data === undefined)
    return message;
  const data = typeof error.data === "string" ? error.data : JSON.stringify(error.data);
  return data === undefined || data === "{}" || data === "null" ? message : `${message} ${data}`;
}
