import { Button, Menu } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { TaskSummary } from "../../../../src/contract/index.ts";
import { ConfirmModal } from "../../ui/confirm-modal.tsx";
import { IconX } from "../../ui/icons.ts";
import { useMay } from "../shell/use-may.ts";
import { useTell } from "../shell/use-tell.tsx";
import { TASK_CLASSES } from "./task-search.ts";
import { performTaskAction, type TaskAction } from "./use-task-action.ts";

export interface BulkBarProps {
  readonly tasks: readonly TaskSummary[];
  readonly onClear: () => void;
}

/** Actions on all selected tasks; those that an action does not fit are left alone, and it says how many. */
export function BulkBar({ tasks, onClear }: BulkBarProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useTell();
  const may = useMay("operate");
  const [busy, setBusy] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const cancellable = tasks.filter(({ finishedAt }) => finishedAt === null);
  const retryable = tasks.filter(({ state }) => ["failed", "cancelled", "waiting"].includes(state));
  const open = cancellable;

  async function perform(actions: readonly TaskAction[]): Promise<void> {
    setBusy(true);
    const results = await Promise.allSettled(actions.map(performTaskAction));
    setBusy(false);
    setConfirming(false);
    const failed = results.find((result) => result.status === "rejected");
    const count = results.filter((result) => result.status === "fulfilled").length;
    for (const key of ["tasks", "status"]) void client.invalidateQueries({ queryKey: [key] });
    if (count > 0) tell.done(t("tasks.bulk.done", { count }));
    if (failed !== undefined) tell.failed(failed.reason);
    else onClear();
  }

  return (
    <div className="m-bulk" role="toolbar" aria-label={t("tasks.bulk.label")}>
      <strong>{t("tasks.bulk.selected", { count: tasks.length })}</strong>
      {may ? (
        <>
          <Button
            variant="default"
            disabled={retryable.length === 0 || busy}
            onClick={() => void perform(retryable.map(({ id }) => ({ type: "retry", id })))}
          >
            {t("tasks.bulk.retry", { count: retryable.length })}
          </Button>
          <Menu position="top-start">
            <Menu.Target>
              <Button variant="default" disabled={open.length === 0 || busy}>
                {t("actions.class")}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {TASK_CLASSES.map((to) => (
                <Menu.Item
                  key={to}
                  onClick={() =>
                    void perform(open.map(({ id, class: from }) => ({ type: "class", id, to, from })))
                  }
                >
                  {t(`common.class.${to}`)}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
          <Button
            variant="default"
            disabled={cancellable.length === 0 || busy}
            onClick={() => setConfirming(true)}
          >
            {t("tasks.bulk.cancel", { count: cancellable.length })}
          </Button>
        </>
      ) : null}
      <Button variant="subtle" color="gray" leftSection={<IconX size={14} />} onClick={onClear}>
        {t("tasks.bulk.clear")}
      </Button>
      <ConfirmModal
        opened={confirming}
        title={t("tasks.bulk.cancel", { count: cancellable.length })}
        confirmLabel={t("actions.cancel")}
        danger
        busy={busy}
        onClose={() => setConfirming(false)}
        onConfirm={() => void perform(cancellable.map(({ id }) => ({ type: "cancel", id })))}
      >
        {t("tasks.bulk.cancelWhat", { count: cancellable.length })}
      </ConfirmModal>
    </div>
  );
}
