import path from "node:path";
import type { TranscriptBody } from "../../contract/index.ts";
import type { PermissionDecision, PermissionRequest } from "../driver.ts";
import type { HostMessage, RunSpec } from "../protocol.ts";

interface PermissionsParams {
  readonly spec: RunSpec;
  readonly policy: "auto" | "ask" | "forbid";
  readonly cloneDir: string;
  readonly emit: (event: TranscriptBody) => void;
  readonly ask: (message: Extract<HostMessage, { type: "permission" }>) => void;
  readonly answered: (requestId: string) => void;
}

/** Answers an agent's permission requests by policy, and by a person where the policy says so. */
export interface Permissions {
  decide(request: PermissionRequest, signal: AbortSignal): Promise<PermissionDecision>;
  /** A person's answer; one that nobody waits for is ignored. */
  answer(requestId: string, optionId: string | null): void;
}

export function createPermissions(params: Readonly<PermissionsParams>): Permissions {
  const waiting = new Map<string, (optionId: string | null) => void>();
  const { emit } = params;

  const askPerson = async (request: PermissionRequest, signal: AbortSignal): Promise<string | null> => {
    const { requestId, title } = request;
    const answer = Promise.withResolvers<string | null>();
    const onAbort = (): void => answer.resolve(null);
    waiting.set(requestId, answer.resolve);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    emit({ kind: "permission", requestId, title, decision: "asked", by: null });
    params.ask({
      type: "permission",
      runId: params.spec.runId,
      attempt: params.spec.attempt,
      requestId,
      title,
      options: [...request.options],
    });
    try {
      return await answer.promise;
    } finally {
      waiting.delete(requestId);
      signal.removeEventListener("abort", onAbort);
      params.answered(requestId);
    }
  };

  return {
    decide: async (request, signal) => {
      const { requestId, title } = request;
      const rule = decideByRule(request, params.policy, params.cloneDir);
      const optionId = rule === "ask" ? await askPerson(request, signal) : optionFor(request, rule);
      const by = rule === "ask" ? "person" : "policy";
      emit({ kind: "permission", requestId, title, decision: meaningOf(request, optionId), by });
      return { optionId };
    },
    answer: (requestId, optionId) => waiting.get(requestId)?.(optionId),
  };
}

/** `deny` for every path outside the clone, whatever the policy says. Pure; the sandbox is what really keeps the agent in. */
export function decideByRule(
  request: Pick<PermissionRequest, "paths">,
  policy: "auto" | "ask" | "forbid",
  cloneDir: string,
): "allow" | "deny" | "ask" {
  const isOutside = request.paths.some((given) => {
    const relative = path.relative(cloneDir, path.resolve(cloneDir, given));
    return relative === ".." || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
  });
  if (isOutside || policy === "forbid") return "deny";
  return policy === "ask" ? "ask" : "allow";
}

const ALLOW_KINDS = ["allow_once", "allow_always"];
const DENY_KINDS = ["reject_once", "reject_always"];

/** The mildest offered option that says so; null cancels the request where none does. */
function optionFor(request: PermissionRequest, rule: "allow" | "deny"): string | null {
  for (const kind of rule === "allow" ? ALLOW_KINDS : DENY_KINDS) {
    const option = request.options.find((offered) => offered.kind === kind);
    if (option !== undefined) return option.id;
  }
  return null;
}

function meaningOf(request: PermissionRequest, optionId: string | null): "allowed" | "denied" | "cancelled" {
  const chosen = request.options.find((option) => option.id === optionId);
  if (chosen === undefined) return "cancelled";
  return ALLOW_KINDS.includes(chosen.kind) ? "allowed" : "denied";
}
