import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { AgentView } from "../../../../src/contract/index.ts";
import { call } from "../../api/client.ts";
import { ConfirmModal } from "../../ui/confirm-modal.tsx";
import { useMay } from "../shell/use-may.ts";
import { useTell } from "../shell/use-tell.tsx";
import { useTaskAction } from "../tasks/use-task-action.ts";
import { useAgentLabel } from "./use-agent-label.ts";

export interface AgentActionsProps {
  readonly agent: AgentView;
}

type Action = "restart" | "drain" | "undrain" | "takeover";

/** Drain, take over and restart; each says what it does to the work at hand. */
export function AgentActions({ agent }: AgentActionsProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useTell();
  const may = useMay("operate");
  const name = useAgentLabel()(agent);
  const takeOver = useTaskAction();
  const [confirming, setConfirming] = useState<Exclude<Action, "undrain"> | null>(null);
  const { slot, taskId } = agent;
  const act = useMutation({
    mutationFn: (action: Exclude<Action, "takeover">) =>
      action === "restart"
        ? call("restartAgent", { params: { slot }, body: {} })
        : call("drainAgent", { params: { slot }, body: { drain: action === "drain" } }),
    onSuccess: (_, action) => {
      void client.invalidateQueries({ queryKey: ["agents"] });
      void client.invalidateQueries({ queryKey: ["status"] });
      tell.done(
        t(`agents.done.${action}`, { name }),
        action === "drain" ? () => act.mutate("undrain") : undefined,
      );
    },
    onError: tell.failed,
  });
  if (!may) return null;
  const close = () => setConfirming(null);
  return (
    <>
      {agent.state === "draining" ? (
        <Button variant="default" loading={act.isPending} onClick={() => act.mutate("undrain")}>
          {t("agents.undrain")}
        </Button>
      ) : (
        <Button variant="default" onClick={() => setConfirming("drain")}>
          {t("agents.drain")}
        </Button>
      )}
      {agent.state === "taken-over" && taskId !== null ? (
        <Button
          loading={takeOver.isPending}
          onClick={() => takeOver.mutate({ type: "handback", id: taskId })}
        >
          {t("actions.handback")}
        </Button>
      ) : taskId !== null && agent.state === "busy" ? (
        <Button variant="default" onClick={() => setConfirming("takeover")}>
          {t("actions.takeover")}
        </Button>
      ) : null}
      <Button variant="default" onClick={() => setConfirming("restart")}>
        {t("agents.restart")}
      </Button>
      <ConfirmModal
        opened={confirming !== null}
        title={confirming === null ? "" : t(`agents.confirm.${confirming}.title`, { name })}
        confirmLabel={
          confirming === null
            ? ""
            : confirming === "takeover"
              ? t("actions.takeover")
              : t(`agents.${confirming}`)
        }
        busy={act.isPending || takeOver.isPending}
        onClose={close}
        onConfirm={() => {
          if (confirming === "takeover" && taskId !== null) {
            takeOver.mutate({ type: "takeover", id: taskId }, { onSettled: close });
          } else if (confirming === "restart" || confirming === "drain") {
            act.mutate(confirming, { onSettled: close });
          }
        }}
      >
        {confirming === null ? null : t(`agents.confirm.${confirming}.what`, { name, id: taskId ?? "" })}
      </ConfirmModal>
    </>
  );
}
