import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { QuestionView } from "../../../../src/contract/index.ts";
import { useMay } from "../shell/use-may.ts";
import { useAnswer } from "./use-answer.ts";
import { useAsker } from "./use-asker.ts";

export interface AnswerFormProps {
  readonly question: QuestionView;
}

/** Offered answers as buttons; a field where any text is an answer. Ctrl/⌘-Enter sends. */
export function AnswerForm({ question }: AnswerFormProps) {
  const { t, i18n } = useTranslation();
  const [text, setText] = useState("");
  const answer = useAnswer(question);
  const may = useMay("operate");
  const asker = useAsker(question.asker);
  const optionLabel = (option: string) => {
    const key = `questions.option.${option}`;
    return i18n.exists(key) ? (t as (key: string) => string)(key) : option;
  };
  if (!may) return <p className="m-dim">{t("errors.mayNot")}</p>;
  return (
    <form
      className="m-answer-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "") answer.mutate(text.trim());
      }}
    >
      {question.options.map((option, index) => (
        <Button
          key={option}
          variant={index === 0 ? "filled" : "default"}
          disabled={answer.isPending}
          onClick={() => answer.mutate(option)}
        >
          {optionLabel(option)}
        </Button>
      ))}
      {question.options.length > 0 ? null : (
        <>
          <Textarea
            className="m-grow"
            autosize
            minRows={1}
            maxRows={8}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey))
                event.currentTarget.form?.requestSubmit();
            }}
            placeholder={t("questions.placeholder")}
            aria-label={t("questions.answerTo", { asker })}
          />
          <Button type="submit" loading={answer.isPending} disabled={text.trim() === ""}>
            {t("questions.answer")}
          </Button>
        </>
      )}
    </form>
  );
}
