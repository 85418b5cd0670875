import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { questionsQuery } from "../../api/queries.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { QueryError } from "../../ui/query-error.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";
import { QuestionCard } from "./question-card.tsx";

export interface QuestionListProps {
  /** True for those that wait for an answer. */
  readonly open: boolean;
}

/** Questions, permission requests and approvals. */
export function QuestionList({ open }: QuestionListProps) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(questionsQuery(open));
  if (error !== null && data === undefined)
    return <QueryError error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <RowSkeletons rows={4} height={96} />;
  if (data.items.length === 0) {
    return open ? (
      <EmptyState text={t("questions.noneOpen")} command="miyabi ask list" />
    ) : (
      <EmptyState text={t("questions.noneAnswered")} />
    );
  }
  return (
    <ul className="m-list">
      {data.items.map((question) => (
        <li key={question.id}>
          <QuestionCard question={question} />
        </li>
      ))}
    </ul>
  );
}
