import "./checks.css";
import { useTranslation } from "react-i18next";
import type { TaskDetail } from "../../../../src/contract/index.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { CheckRun } from "./check-run.tsx";

const AGENT_KINDS: ReadonlySet<string> = new Set(["agent", "plan", "prompt", "approval"]);

export interface ChecksTabProps {
  readonly task: TaskDetail;
  readonly runId: string | undefined;
}

/** Runs that carried out commands, newest first: what was run, how it ended, how long it took, what it said. */
export function ChecksTab({ task, runId }: ChecksTabProps) {
  const { t } = useTranslation();
  const runs = task.runs
    .filter(({ kind }) => !AGENT_KINDS.has(kind))
    .toSorted((a, b) => b.attempt - a.attempt);
  if (runs.length === 0) return <EmptyState text={t("checks.none")} />;
  const open =
    runId ?? runs.find(({ state }) => state === "failed" || state === "running")?.id ?? runs[0]?.id;
  return (
    <ul className="m-list">
      {runs.map((run) => (
        <li key={run.id}>
          <CheckRun key={`${run.id}-${run.id === open}`} run={run} initiallyOpen={run.id === open} />
        </li>
      ))}
    </ul>
  );
}
