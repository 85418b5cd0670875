import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { call } from "../../api/client.ts";
import { useTell } from "../shell/use-tell.tsx";

interface Action {
  readonly type: "retry" | "discard";
  readonly id: string;
}

/** Tries one again or discards it, and says so. */
export function useDeadLetterAction() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useTell();
  const refresh = (): void => {
    for (const queryKey of [["dead-letters"], ["health"], ["status"]])
      void client.invalidateQueries({ queryKey });
  };
  return useMutation({
    mutationFn: ({ type, id }: Action) =>
      call(type === "retry" ? "retryDeadLetter" : "discardDeadLetter", { params: { id }, body: {} }),
    onSuccess: (_letter, { type }) => {
      refresh();
      tell.done(t(`deadLetters.done.${type}`));
    },
    onError: (error) => {
      refresh();
      tell.failed(error);
    },
  });
}
