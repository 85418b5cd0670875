import { useTranslation } from "react-i18next";
import type { TaskDetail } from "../../../../src/contract/index.ts";
import { ClassTag } from "../../ui/class-tag.tsx";
import { Deadline } from "../../ui/deadline.tsx";
import { Elapsed } from "../../ui/elapsed.tsx";
import { formatCount, shortCommit } from "../../ui/format.ts";
import { Labels } from "../../ui/labels.tsx";
import { Money } from "../../ui/money.tsx";
import { PageHeader } from "../../ui/page-header.tsx";
import { ReasonText } from "../../ui/reason-text.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { SlotName } from "../agents/slot-name.tsx";
import { Fact } from "./fact.tsx";
import { sumTokens } from "./sum-tokens.ts";
import { TaskActions } from "./task-actions.tsx";
import { TaskLinks } from "./task-links.tsx";

export interface TaskHeaderProps {
  readonly task: TaskDetail;
}

/** State with its reason, the facts in figures, and the actions that the state allows. */
export function TaskHeader({ task }: TaskHeaderProps) {
  const { t } = useTranslation();
  const tokens = sumTokens(task.runs);
  return (
    <div className="m-task-head">
      <PageHeader
        title={task.title}
        lead={
          <span className="m-row m-task-lead">
            <span className="m-mono">{task.id}</span>
            <span>{task.repositoryName}</span>
            <Labels labels={task.labels} />
          </span>
        }
        actions={<TaskActions task={task} />}
      />
      <div className="m-task-state">
        <StateBadge of="task" state={task.state} pill />
        {task.takenOver ? <StateBadge of="agent" state="taken-over" pill /> : null}
        {task.reason === null ? null : (
          <span>
            <ReasonText reason={task.reason} withFix />
          </span>
        )}
      </div>
      <dl className="m-facts">
        <Fact label={t("task.fact.deadline")}>
          <ClassTag of={task.class} />{" "}
          {task.finishedAt === null ? (
            <Deadline at={task.deadlineAt} over={false} />
          ) : (
            <RelativeTime at={task.deadlineAt} />
          )}
        </Fact>
        <Fact label={t("common.cost")}>
          <Money micros={task.costMicros} />
        </Fact>
        <Fact label={t("task.fact.tokens")}>
          {tokens === null ? t("common.none") : `${formatCount(tokens.in)} → ${formatCount(tokens.out)}`}
        </Fact>
        <Fact label={t("task.fact.time")}>
          {task.startedAt === null ? (
            t("common.none")
          ) : (
            <Elapsed from={task.startedAt} to={task.finishedAt} />
          )}
        </Fact>
        <Fact label={t("task.fact.attempts")}>
          {t("task.fact.attemptsValue", { attempts: task.attempts, rounds: task.rounds })}
        </Fact>
        <Fact label={t("task.fact.agent")}>
          {task.slot === null ? t("common.none") : <SlotName slot={task.slot} />}
        </Fact>
        <Fact label={t("task.fact.branch")}>
          <code className="m-cut">{task.branch ?? t("common.none")}</code>
        </Fact>
        <Fact label={task.mergeCommit === null ? t("task.fact.target") : t("task.fact.merged")}>
          <code>{task.mergeCommit === null ? task.targetBranch : shortCommit(task.mergeCommit)}</code>
        </Fact>
      </dl>
      <TaskLinks title={t("task.dependsOn")} tasks={task.dependsOn} />
      <TaskLinks title={t("task.dependents")} tasks={task.dependents} />
    </div>
  );
}
