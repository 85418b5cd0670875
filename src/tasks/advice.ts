/*
 * What moves a task, by the code of the reason that holds it: commands first. The reason's own fix, where it has one,
 * comes before these. A test holds this table to every code that the sources produce.
 */
type Advice = (taskId: string) => readonly string[];

const nothing: Advice = () => [];
const show: Advice = (id) => [`miyabi task show ${id}`];
const logs: Advice = (id) => [`miyabi logs --task ${id}`];
const again: Advice = (id) => [`miyabi task retry ${id}`];
const lookAndRetry: Advice = (id) => [`miyabi logs --task ${id}`, `miyabi task retry ${id}`];
const doctor: Advice = () => ["miyabi doctor"];
const agents: Advice = () => ["miyabi agents"];
const byItself: Advice = () => ["It goes on by itself."];
const mend: Advice = (id) => [`miyabi takeover ${id}`, `miyabi task retry ${id}`];

export const ADVICE: Readonly<Record<string, Advice>> = {
  "agent.bad_verdict": lookAndRetry,
  "agent.blocked": mend,
  "agent.down": agents,
  "agent.exited": lookAndRetry,
  "agent.no_changes": mend,
  "agent.no_verdict": lookAndRetry,
  "agent.protocol": lookAndRetry,
  "agent.quota": byItself,
  "agent.unavailable": doctor,
  "agents.busy": agents,
  "agents.down": agents,
  "agents.draining": agents,
  "agents.parked": byItself,
  "agents.starting": byItself,
  "agents.taken_over": agents,
  "approval.open": (id) => [`miyabi task approve ${id}`, `miyabi task approve ${id} --reject`],
  "check.failed": logs,
  "check.rounds_used_up": (id) => [`miyabi logs --task ${id}`, `miyabi takeover ${id}`],
  "ci.pending": byItself,
  "ci.rounds_used_up": mend,
  "config.invalid": () => ["Correct miyabi.yaml or the repository's .miyabi/workflow.yaml.", "miyabi doctor"],
  "dependency.merged": byItself,
  "dependency.not_merged": byItself,
  "dependency.stuck": (id) => [`miyabi task cancel ${id}`],
  "disk.full": () => ["Free some space; work goes on by itself then."],
  "disk.quota": lookAndRetry,
  "handover.invalid": lookAndRetry,
  "handover.missing": lookAndRetry,
  "host.died": byItself,
  "host.disconnected": byItself,
  "host.gone": byItself,
  "host.silent": byItself,
  "input.too_large": lookAndRetry,
  "internal.bug": logs,
  "lease.expired": byItself,
  "lease.lost": byItself,
  "merge.ahead": byItself,
  "merge.awaiting": byItself,
  "merge.checking": byItself,
  "merge.queued": byItself,
  "merge.rounds_used_up": mend,
  "merge.running": byItself,
  "order.inherited": nothing,
  "person.cancelled": again,
  "person.retry": nothing,
  "person.takeover": (id) => [`miyabi handback ${id}`],
  "process.failed": doctor,
  "process.timeout": lookAndRetry,
  "pull_request.closed": (id) => [`miyabi task retry ${id}`, `miyabi task cancel ${id}`],
  "pull_request.opening": byItself,
  "quota.until": again,
  "question.open": () => ["miyabi ask list"],
  "queue.ahead": (id) => [`miyabi task show ${id}`],
  "queue.nobody": () => ["miyabi doctor"],
  "queue.starting": byItself,
  "repository.conflict": mend,
  "repository.dirty": nothing,
  "repository.unusable": lookAndRetry,
  "retry.now": byItself,
  "retry.until": again,
  "review.remote_rounds_used_up": mend,
  "review.rounds_used_up": (id) => [`miyabi task approve ${id}`, `miyabi task retry ${id}`],
  "run.cancelled": byItself,
  "run.failed": lookAndRetry,
  "run.lost_too_often": () => ["miyabi doctor"],
  "run.output_limit": lookAndRetry,
  "run.preparing": byItself,
  "run.processes": lookAndRetry,
  "run.timeout": lookAndRetry,
  "run.working": logs,
  "sandbox.missing": doctor,
  "sandbox.unavailable": doctor,
  "target.changes": byItself,
  "target.locked": byItself,
  "target.operation": byItself,
  "target.special": byItself,
  "target.untracked": byItself,
  "task.delivered": nothing,
  "task.done": show,
  "task.failed": lookAndRetry,
  "task.merged": show,
  "task.queued": byItself,
  "task.retry_possible": nothing,
  "task.starting": byItself,
  "task.working": logs,
  "tool.missing": doctor,
  "wait.time": byItself,
  "wait.unknown": again,
  "work.kept": nothing,
  "workflow.invalid": doctor,
};

/** Further ways to move the task; for an unknown code, where to look. */
export function adviceFor(code: string, taskId: string): readonly string[] {
  return (ADVICE[code] ?? logs)(taskId);
}
