import "./question-card.css";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { QuestionView } from "../../../../src/contract/index.ts";
import { Markdown } from "../../ui/markdown.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { AnswerForm } from "./answer-form.tsx";
import { useAsker } from "./use-asker.ts";

export interface QuestionCardProps {
  readonly question: QuestionView;
}

/** A question with its answer, or the way to give one. */
export function QuestionCard({ question }: QuestionCardProps) {
  const { t } = useTranslation();
  const asker = useAsker(question.asker);
  return (
    <article className="m-question" aria-label={question.id}>
      <div className="m-row m-small m-question-head">
        <strong className="m-tone-waiting">{t(`questions.kind.${question.kind}`)}</strong>
        <span>{asker}</span>
        <Link to="/tasks/$taskId" params={{ taskId: question.taskId }} className="m-cut m-dim m-grow">
          <span className="m-mono">{question.taskId}</span> {question.taskTitle}
        </Link>
        <span className="m-dim">
          <RelativeTime at={question.askedAt} />
        </span>
      </div>
      <Markdown text={question.text} />
      {question.answer === null ? (
        <AnswerForm question={question} />
      ) : (
        <p className="m-answer">
          {question.answer}
          <span className="m-dim m-small">
            {question.answeredBy}{" "}
            {question.answeredAt === null ? null : <RelativeTime at={question.answeredAt} />}
          </span>
        </p>
      )}
    </article>
  );
}
