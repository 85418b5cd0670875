import { ActionIcon, Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { ChatConversation } from "../../../../src/contract/index.ts";
import { call } from "../../api/client.ts";
import { IconArrowDown, IconArrowLeft } from "../../ui/icons.ts";
import { QueryError } from "../../ui/query-error.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";
import { usePageTitle } from "../../ui/use-page-title.ts";
import { useMay } from "../shell/use-may.ts";
import { useTell } from "../shell/use-tell.tsx";
import { updateThread } from "./chat-queries.ts";
import { ChoiceBar, type Choice } from "./choice-bar.tsx";
import { Composer } from "./composer.tsx";
import { branchOf, withMessages } from "./conversation-state.ts";
import { MessageItem, type MessageActions } from "./message-item.tsx";
import { ThreadMenu } from "./thread-menu.tsx";
import { useStickToEnd } from "./use-stick-to-end.ts";
import { useThread } from "./use-thread.ts";

export interface ConversationProps {
  readonly threadId: string;
}

/** A thread: the branch that is shown, and the field for what comes next. */
export function Conversation({ threadId }: ConversationProps) {
  const { t } = useTranslation();
  const { data, error, refetch, retryMs } = useThread(threadId);
  usePageTitle(data?.thread.title || t("nav.chat"));
  if (data !== undefined) return <Loaded conversation={data} retryMs={retryMs} />;
  return error === null ? (
    <RowSkeletons rows={5} height={88} />
  ) : (
    <QueryError error={error} onRetry={() => void refetch()} />
  );
}

interface LoadedProps {
  readonly conversation: ChatConversation;
  readonly retryMs: number | null;
}

function Loaded({ conversation, retryMs }: LoadedProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useTell();
  const may = useMay("operate");
  const { thread } = conversation;
  const { id } = thread;
  const shown = branchOf(conversation);
  const streaming = shown.find(({ message }) => message.state === "streaming")?.message ?? null;
  const stick = useStickToEnd(shown.at(-1)?.message);

  const take = (added: ChatConversation): void => {
    updateThread(client, id, (known) => withMessages(known, added.messages, added.thread));
    void client.invalidateQueries({ queryKey: ["chat-threads"] });
  };
  const change = useMutation({
    mutationFn: (body: Partial<Choice> & { branch?: string }) =>
      call("changeThread", { params: { id }, body }),
    onSuccess: (changed) => updateThread(client, id, (known) => ({ ...known, thread: changed })),
    onError: tell.failed,
  });
  const post = useMutation({
    mutationFn: (body: { content: string; attachmentIds: string[]; parentId?: string | null }) =>
      call("postChatMessage", { params: { id }, body }),
    onSuccess: (added) => {
      take(added);
      stick.toEnd();
    },
    onError: tell.failed,
  });
  const regenerate = useMutation({
    mutationFn: (messageId: string) => call("regenerateChatMessage", { params: { id: messageId }, body: {} }),
    onSuccess: take,
    onError: tell.failed,
  });
  const stop = useMutation({
    mutationFn: (messageId: string) => call("stopChatMessage", { params: { id: messageId }, body: {} }),
    onSuccess: (message) => updateThread(client, id, (known) => withMessages(known, [message])),
    onError: tell.failed,
  });
  const { mutate: show } = change;
  const { mutate: again } = regenerate;
  const { mutateAsync: say } = post;
  // The same object while nothing changes, so that messages are not drawn again at each piece of the last one.
  const actions = useMemo<MessageActions | null>(
    () =>
      may
        ? {
            showBranch: (branch) => show({ branch }),
            regenerate: (messageId) => again(messageId),
            edit: async (message, content) => {
              await say({
                content,
                parentId: message.parentId,
                attachmentIds: message.attachments.map((one) => one.id),
              });
            },
          }
        : null,
    [may, show, again, say],
  );

  return (
    <>
      <header className="m-chat-head">
        <Link to="/chat" className="m-chat-back" aria-label={t("chat.threads")}>
          <ActionIcon component="span">
            <IconArrowLeft size={18} stroke={1.6} />
          </ActionIcon>
        </Link>
        <h1 className="m-cut">{thread.title === "" ? t("chat.untitled") : thread.title}</h1>
        <span className="m-grow" />
        <ThreadMenu thread={thread} may={may} />
      </header>
      <div
        className="m-chat-scroll"
        ref={stick.box}
        onScroll={stick.onScroll}
        tabIndex={0}
        role="log"
        aria-label={t("chat.conversation")}
      >
        <div className="m-chat-column m-chat-messages">
          {shown.map(({ message, siblings }) => (
            <MessageItem
              key={message.id}
              message={message}
              siblings={siblings}
              actions={actions}
              busy={thread.answering}
            />
          ))}
        </div>
      </div>
      <div className="m-chat-foot">
        <div className="m-chat-column">
          {stick.atEnd ? null : (
            <Button
              className="m-chat-to-end"
              variant="default"
              leftSection={<IconArrowDown size={14} />}
              onClick={stick.toEnd}
            >
              {t("chat.toEnd")}
            </Button>
          )}
          {retryMs === null ? null : (
            <p className="m-chat-lost" role="status">
              {t("chat.lost", { count: retryMs / 1000 })}
            </p>
          )}
          {may ? (
            <Composer
              draftKey={id}
              busy={post.isPending}
              autoFocus
              onSend={async ({ text, attachments }) => {
                await say({ content: text, attachmentIds: attachments.map((one) => one.id) });
              }}
              {...(streaming === null ? {} : { onStop: () => stop.mutate(streaming.id) })}
              controls={
                <ChoiceBar value={thread} onChange={(part) => show(part)} disabled={change.isPending} />
              }
            />
          ) : (
            <p className="m-dim">{t("chat.mayNot")}</p>
          )}
        </div>
      </div>
    </>
  );
}
