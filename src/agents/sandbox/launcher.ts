import { quoteForShell } from "../../base/index.ts";
import type { SandboxSpec } from "./spec.ts";

const COMPANION_FAILED = 97;

/**
 * The program that a sandbox starts: a shell that sets limits, starts the companion beside the agent and then becomes the
 * agent (exec), so that standard input and output, signals and exit status are the agent's own.
 * The companion is orphaned on purpose (the namespace's init reaps it): the agent has no child that it does not know.
 * Exits 97 where the companion had to be ready first and was not. Pure.
 */
export function launcherCommand(
  spec: Pick<SandboxSpec, "command" | "args" | "companion" | "limits">,
): readonly string[] {
  const fileBlocks = Math.floor(spec.limits.fileBytes / 512);
  const lines = [
    "ulimit -c 0",
    `ulimit -f ${fileBlocks}`,
    // bash calls it -u, dash and busybox call it -p; a hard limit that is already lower stays.
    `ulimit -u ${spec.limits.processes} 2>/dev/null || ulimit -p ${spec.limits.processes} 2>/dev/null || :`,
  ];
  if (spec.companion !== null) {
    const command = [spec.companion.command, ...spec.companion.args].map(quoteForShell).join(" ");
    const background = `NODE_OPTIONS= ${command} </dev/null 2>/dev/null`;
    lines.push(
      spec.companion.waitUntilReady
        ? `(${background} &) | { read -r ready || exit 1; } || exit ${COMPANION_FAILED}`
        : `(${background} >/dev/null &)`,
    );
  }
  lines.push('exec "$@"');
  return ["/bin/sh", "-c", lines.join("\n"), "sh", spec.command, ...spec.args];
}
