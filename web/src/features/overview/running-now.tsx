import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { AgentView, TaskSummary } from "../../../../src/contract/index.ts";
import { Elapsed } from "../../ui/elapsed.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Sign } from "../../ui/sign.tsx";
import { LOOKS } from "../../ui/state-look.ts";
import { AgentName } from "../agents/agent-name.tsx";
import { StepName } from "../task/step-name.tsx";

export interface RunningNowProps {
  readonly tasks: readonly TaskSummary[];
  readonly agents: readonly AgentView[];
}

/** Running tasks: step, agent, elapsed time and what happened last. */
export function RunningNow({ tasks, agents }: RunningNowProps) {
  const { t } = useTranslation();
  return (
    <Panel title={t("overview.runningNow")} count={tasks.length} flush>
      {tasks.length === 0 ? (
        <EmptyState
          text={t("overview.nothingRuns")}
          command="miyabi task add --repo . --title 'Fix the login form'"
        />
      ) : (
        <ul className="m-list">
          {tasks.map((task) => {
            const agent = agents.find((one) => one.taskId === task.id);
            return (
              <li key={task.id} className="m-item">
                <div className="m-task-line">
                  <Sign look={LOOKS.task[task.state]} />
                  <Link to="/tasks/$taskId" params={{ taskId: task.id }} className="m-task-title m-cut">
                    <span className="m-dim m-mono">{task.id}</span> {task.title}
                  </Link>
                  <span className="m-num m-dim">
                    {task.startedAt === null ? null : <Elapsed from={task.startedAt} to={task.finishedAt} />}
                  </span>
                  <div className="m-sub m-row">
                    {task.step === null ? null : <StepName name={task.step} />}
                    {agent === undefined ? null : <AgentName agent={agent} />}
                    <span className="m-cut m-grow">{agent?.lastEvent}</span>
                  </div>
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}
