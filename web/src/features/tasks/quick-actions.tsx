import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { TaskSummary } from "../../../../src/contract/index.ts";
import { useMay } from "../shell/use-may.ts";
import { useTaskAction } from "./use-task-action.ts";

export interface QuickActionsProps {
  readonly task: TaskSummary;
}

/** The action that a waiting or failed task most likely needs, and the way to its explanation. */
export function QuickActions({ task }: QuickActionsProps) {
  const { t } = useTranslation();
  const action = useTaskAction();
  const may = useMay("operate");
  const { id } = task;
  return (
    <div className="m-row" style={{ flex: "none" }}>
      <Button
        variant="default"
        renderRoot={(props) => (
          <Link to="/tasks/$taskId" params={{ taskId: id }} search={{ tab: "explain" }} {...props} />
        )}
      >
        {t("actions.explain")}
      </Button>
      {!may ? null : task.waitsFor === "approval" ? (
        <Button
          loading={action.isPending}
          onClick={() => action.mutate({ type: "approve", id, approve: true })}
        >
          {t("actions.approve")}
        </Button>
      ) : (
        <Button loading={action.isPending} onClick={() => action.mutate({ type: "retry", id })}>
          {t("actions.retry")}
        </Button>
      )}
    </div>
  );
}
