import { Link } from "@tanstack/react-router";
import { Fragment, type ReactNode } from "react";
import { Trans, useTranslation } from "react-i18next";
import type { StatusView } from "../../../../src/contract/index.ts";
import { formatDuration, formatMoney } from "../../ui/format.ts";
import { useNow } from "../../ui/use-now.ts";

export interface OverviewSentenceProps {
  readonly status: StatusView;
}

/** The state of the whole in one sentence; each number leads to what it counts. */
export function OverviewSentence({ status }: OverviewSentenceProps) {
  const { t } = useTranslation();
  const now = useNow();
  const { counts, needsYou, breach, today } = status;
  const waiting = needsYou.questions.length + needsYou.tasks.length;
  const parts: ReactNode[] = [
    <Trans
      key="running"
      i18nKey="overview.running"
      count={counts.running}
      components={{ a: <Link to="/tasks" search={{ state: "running" }} /> }}
    />,
  ];
  if (waiting > 0) {
    parts.push(
      <Trans
        key="you"
        i18nKey="overview.waitForYou"
        count={waiting}
        components={{ a: <a href="#needs-you" /> }}
      />,
    );
  }
  if (breach !== null) {
    const left = Date.parse(breach.deadlineAt) - now;
    parts.push(
      <Trans
        key="breach"
        i18nKey={left > 0 ? "overview.breach" : "overview.breached"}
        values={{ id: breach.taskId, duration: formatDuration(Math.abs(left)) }}
        components={{
          a: <Link to="/tasks/$taskId" params={{ taskId: breach.taskId }} search={{ tab: "explain" }} />,
        }}
      />,
    );
  }
  const money = formatMoney(today.costMicros);
  return (
    <h1 className="m-sentence">
      {parts.map((part, index) => (
        <Fragment key={index}>
          {index > 0 ? t("overview.joint") : null}
          {part}
        </Fragment>
      ))}
      {t("overview.todayJoint")}
      <Trans
        i18nKey="overview.today"
        count={today.merged}
        values={{ cost: money ?? t("overview.planCost") }}
        components={{ a: <Link to="/tasks" search={{ state: "done", order: "updated" }} /> }}
      />
    </h1>
  );
}
