import { Button, Menu, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { TaskDetail } from "../../../../src/contract/index.ts";
import { CommandLine } from "../../ui/command-line.tsx";
import { ConfirmModal } from "../../ui/confirm-modal.tsx";
import { IconChevronDown } from "../../ui/icons.ts";
import { useMay } from "../shell/use-may.ts";
import { TASK_CLASSES } from "../tasks/task-search.ts";
import { useTaskAction } from "../tasks/use-task-action.ts";

export interface TaskActionsProps {
  readonly task: TaskDetail;
}

type Confirmed = "cancel" | "takeover" | "reject";

/** The actions that the task's state allows; those that end or interrupt work say what will happen. */
export function TaskActions({ task }: TaskActionsProps) {
  const { t } = useTranslation();
  const action = useTaskAction();
  const may = useMay("operate");
  const [confirming, setConfirming] = useState<Confirmed | null>(null);
  const [note, setNote] = useState("");
  const { id } = task;
  const can = (name: TaskDetail["actions"][number]) => task.actions.includes(name);
  if (!may || task.actions.length === 0) return null;

  const close = () => setConfirming(null);
  const confirm = () => {
    const settled = { onSettled: close };
    if (confirming === "reject") {
      const text = note.trim();
      action.mutate({ type: "approve", id, approve: false, ...(text === "" ? {} : { note: text }) }, settled);
    } else if (confirming !== null) action.mutate({ type: confirming, id }, settled);
  };

  return (
    <>
      {can("prioritise") ? (
        <Menu>
          <Menu.Target>
            <Button variant="default" rightSection={<IconChevronDown size={14} />}>
              {t("actions.class")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {TASK_CLASSES.map((to) => (
              <Menu.Item
                key={to}
                disabled={to === task.class}
                onClick={() => action.mutate({ type: "class", id, to, from: task.class })}
              >
                {t(`common.class.${to}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      ) : null}
      {can("takeover") ? (
        <Button variant="default" onClick={() => setConfirming("takeover")}>
          {t("actions.takeover")}
        </Button>
      ) : null}
      {can("cancel") ? (
        <Button variant="default" onClick={() => setConfirming("cancel")}>
          {t("actions.cancel")}
        </Button>
      ) : null}
      {can("approve") ? (
        <>
          <Button variant="default" onClick={() => setConfirming("reject")}>
            {t("actions.reject")}
          </Button>
          <Button
            onClick={() => action.mutate({ type: "approve", id, approve: true })}
            loading={action.isPending}
          >
            {t("actions.approve")}
          </Button>
        </>
      ) : null}
      {can("handback") ? (
        <Button onClick={() => action.mutate({ type: "handback", id })} loading={action.isPending}>
          {t("actions.handback")}
        </Button>
      ) : null}
      {can("retry") ? (
        <Button onClick={() => action.mutate({ type: "retry", id })} loading={action.isPending}>
          {t("actions.retry")}
        </Button>
      ) : null}
      <ConfirmModal
        opened={confirming !== null}
        title={confirming === null ? "" : t(`actions.confirm.${confirming}.title`, { id })}
        confirmLabel={confirming === null ? "" : t(`actions.${confirming}`)}
        danger={confirming === "cancel"}
        busy={action.isPending}
        onClose={close}
        onConfirm={confirm}
      >
        <p>
          {confirming === null
            ? null
            : t(`actions.confirm.${confirming}.what`, { branch: task.branch ?? task.targetBranch })}
        </p>
        {confirming === "takeover" ? <CommandLine command={`miyabi takeover ${id}`} /> : null}
        {confirming === "reject" ? (
          <Textarea
            mt="sm"
            autosize
            minRows={2}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
            label={t("actions.note")}
          />
        ) : null}
      </ConfirmModal>
    </>
  );
}
