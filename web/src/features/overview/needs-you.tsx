import { useTranslation } from "react-i18next";
import type { QuestionView, TaskSummary } from "../../../../src/contract/index.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Panel } from "../../ui/panel.tsx";
import { QuestionCard } from "../questions/question-card.tsx";
import { NeedyTask } from "./needy-task.tsx";

export interface NeedsYouProps {
  readonly questions: readonly QuestionView[];
  readonly tasks: readonly TaskSummary[];
}

/** What only a person can move, each with its action in place. */
export function NeedsYou({ questions, tasks }: NeedsYouProps) {
  const { t } = useTranslation();
  const count = questions.length + tasks.length;
  return (
    <div id="needs-you">
      <Panel title={t("overview.needsYou")} count={count} flush>
        {count === 0 ? (
          <EmptyState text={t("overview.nothingNeedsYou")} />
        ) : (
          <ul className="m-list">
            {questions.map((question) => (
              <li key={question.id}>
                <QuestionCard question={question} />
              </li>
            ))}
            {tasks.map((task) => (
              <li key={task.id}>
                <NeedyTask task={task} />
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </div>
  );
}
