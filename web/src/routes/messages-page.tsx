import { SegmentedControl } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { DeadLetterList } from "../features/dead-letters/dead-letter-list.tsx";
import { Mailbox } from "../features/messages/mailbox.tsx";
import { MESSAGE_VIEWS, parseMessageSearch } from "../features/messages/message-search.ts";
import { QuestionList } from "../features/questions/question-list.tsx";
import { PageHeader } from "../ui/page-header.tsx";

/** Questions to people, and the messages between agents. */
export function MessagesPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/shell/messages" });
  const navigate = useNavigate({ from: "/messages" });
  const view = search.view ?? "open";
  return (
    <>
      <PageHeader
        title={t("nav.messages")}
        lead={t("messages.lead")}
        actions={
          <SegmentedControl
            aria-label={t("messages.view.label")}
            value={view}
            onChange={(value) => void navigate({ search: parseMessageSearch({ view: value }) })}
            data={MESSAGE_VIEWS.map((one) => ({ value: one, label: t(`messages.view.${one}`) }))}
          />
        }
      />
      <div className="m-panel">
        {view === "mail" ? (
          <Mailbox search={search} />
        ) : view === "undelivered" ? (
          <DeadLetterList />
        ) : (
          <QuestionList open={view === "open"} />
        )}
      </div>
    </>
  );
}
