import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { QuestionView } from "../../../../src/contract/index.ts";
import { call } from "../../api/client.ts";
import { useTell } from "../shell/use-tell.tsx";
import { useAsker } from "./use-asker.ts";

/** Answers a question and refreshes what showed it. */
export function useAnswer(question: QuestionView) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useTell();
  const asker = useAsker(question.asker);
  return useMutation({
    mutationFn: (answer: string) => call("answerQuestion", { params: { id: question.id }, body: { answer } }),
    onSuccess: () => {
      tell.done(t("questions.sent", { asker }));
      for (const key of ["questions", "status", "tasks", "task"])
        void client.invalidateQueries({ queryKey: [key] });
    },
    onError: tell.failed,
  });
}
