import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { call } from "../../api/client.ts";
import { useTell } from "../shell/use-tell.tsx";

export type TaskAction =
  | { readonly type: "cancel" | "retry" | "takeover" | "handback"; readonly id: string }
  | { readonly type: "approve"; readonly id: string; readonly approve: boolean; readonly note?: string }
  | {
      readonly type: "class";
      readonly id: string;
      readonly to: "P0" | "P1" | "P2";
      readonly from: "P0" | "P1" | "P2";
    };

/** Does one action on one task. @throws ApiError */
export async function performTaskAction(
  action: TaskAction,
): Promise<{ readonly attachCommand: string | null }> {
  const params = { id: action.id };
  switch (action.type) {
    case "cancel":
      await call("cancelTask", { params, body: {} });
      break;
    case "retry":
      await call("retryTask", { params, body: {} });
      break;
    case "handback":
      await call("handBackTask", { params, body: {} });
      break;
    case "approve":
      await call("approveTask", {
        params,
        body: { approve: action.approve, ...(action.note === undefined ? {} : { note: action.note }) },
      });
      break;
    case "class":
      await call("setTaskClass", { params, body: { class: action.to } });
      break;
    case "takeover":
      return call("takeOverTask", { params, body: {} });
  }
  return { attachCommand: null };
}

/** Does an action, says so with a way back where one exists, and refreshes what it changed. */
export function useTaskAction() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useTell();
  const refresh = (id: string) => {
    for (const key of [["tasks"], ["status"], ["task", id], ["task-explain", id], ["agents"]]) {
      void client.invalidateQueries({ queryKey: key });
    }
  };
  const mutation = useMutation({
    mutationFn: performTaskAction,
    onSuccess: (result, action) => {
      refresh(action.id);
      const { id } = action;
      if (action.type === "cancel") {
        tell.done(t("actions.done.cancel", { id }), () => mutation.mutate({ type: "retry", id }));
      } else if (action.type === "class") {
        const { from, to } = action;
        tell.done(t("actions.done.class", { id, to }), () =>
          mutation.mutate({ type: "class", id, to: from, from: to }),
        );
      } else if (action.type === "approve") {
        tell.done(t(action.approve ? "actions.done.approve" : "actions.done.reject", { id }));
      } else if (action.type === "takeover") {
        tell.done(t("actions.done.takeover", { id, command: result.attachCommand ?? t("common.none") }));
      } else {
        tell.done(t(`actions.done.${action.type}`, { id }));
      }
    },
    onError: (error, action) => {
      refresh(action.id);
      tell.failed(error);
    },
  });
  return mutation;
}
