import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { TaskDetail } from "../../../../src/contract/index.ts";
import { taskMessagesQuery } from "../../api/queries.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { QueryError } from "../../ui/query-error.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";
import { TellForm } from "../agents/tell-form.tsx";
import { MessageList } from "../messages/message-list.tsx";

export interface TaskMessagesTabProps {
  readonly task: TaskDetail;
}

/** Messages about the task, and a field to say something to the agent that works on it. */
export function TaskMessagesTab({ task }: TaskMessagesTabProps) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(taskMessagesQuery(task.id));
  if (error !== null && data === undefined)
    return <QueryError error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <RowSkeletons rows={4} height={56} />;
  return (
    <>
      {data.items.length === 0 ? (
        <EmptyState text={t("messages.noneForTask")} />
      ) : (
        <MessageList messages={data.items} />
      )}
      {task.slot === null || task.state !== "running" ? null : (
        <div className="m-brief">
          <TellForm slot={task.slot} />
        </div>
      )}
    </>
  );
}
