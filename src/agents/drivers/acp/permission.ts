import { cleanText, cutText, systemRandom } from "../../../base/index.ts";
import type { DriverParams, PermissionRequest } from "../../driver.ts";
import { permissionParams, type PermissionParams } from "./messages.ts";

const CANCELLED = { outcome: { outcome: "cancelled" } };
const PATH_FIELDS = ["path", "file_path", "filePath", "abs_path", "notebook_path", "directory"];
const MAX_PATHS = 100;
const MAX_OPTIONS = 20;

/**
 * Answers `session/request_permission` with the host's decision. Never rejects: without a decision, or after `signal`, the
 * request counts as cancelled, which agents treat as "no".
 */
export async function answerPermission(
  raw: unknown,
  onPermission: DriverParams["onPermission"],
  signal: AbortSignal,
): Promise<unknown> {
  const parsed = permissionParams.safeParse(raw);
  if (!parsed.success || signal.aborted) return CANCELLED;
  const request = toRequest(parsed.data);
  const aborted = Promise.withResolvers<{ readonly optionId: null }>();
  const onAbort = (): void => aborted.resolve({ optionId: null });
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const { optionId } = await Promise.race([onPermission(request, signal), aborted.promise]);
    return parsed.data.options.some((option) => option.optionId === optionId)
      ? { outcome: { outcome: "selected", optionId } }
      : CANCELLED;
  } catch {
    return CANCELLED;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function toRequest({ toolCall, options }: PermissionParams): PermissionRequest {
  const fromInput: string[] = [];
  if (typeof toolCall.rawInput === "object" && toolCall.rawInput !== null)
    for (const [field, value] of Object.entries(toolCall.rawInput))
      if (PATH_FIELDS.includes(field) && typeof value === "string") fromInput.push(value);
  const paths = [
    ...(toolCall.locations ?? []).map((location) => location.path),
    ...(toolCall.content ?? []).flatMap((item) => (typeof item.path === "string" ? [item.path] : [])),
    ...fromInput,
  ];
  return {
    requestId: systemRandom.uuid(),
    title: cutText(cleanText(toolCall.title ?? "The agent asks for permission"), 500),
    options: options.slice(0, MAX_OPTIONS).map((option) => ({
      id: option.optionId,
      name: cutText(cleanText(option.name), 200),
      kind: cutText(cleanText(option.kind), 50),
    })),
    paths: [...new Set(paths)].slice(0, MAX_PATHS),
    tool: toolCall.kind ?? "other",
  };
}
