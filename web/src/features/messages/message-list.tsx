import "./messages.css";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { MessageView } from "../../../../src/contract/index.ts";
import { Markdown } from "../../ui/markdown.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";

export interface MessageListProps {
  readonly messages: readonly MessageView[];
}

/** Messages between agents and people, with how far each came. */
export function MessageList({ messages }: MessageListProps) {
  const { t } = useTranslation();
  return (
    <ul className="m-list">
      {messages.map((message) => (
        <li key={message.id} className="m-message">
          <div className="m-row m-small">
            <strong>{message.sender}</strong>
            <span className="m-dim" aria-label={t("messages.to")}>
              →
            </span>
            <strong>{message.recipient}</strong>
            <span className="m-dim m-mono">#{message.seq}</span>
            {message.taskId === null ? null : (
              <Link to="/tasks/$taskId" params={{ taskId: message.taskId }} className="m-mono m-underline">
                {message.taskId}
              </Link>
            )}
            <span className="m-grow" />
            <span className="m-dim">
              <RelativeTime at={message.createdAt} />
            </span>
            <StateBadge of="message" state={message.state} />
          </div>
          <Markdown text={message.body} />
          {message.attempts > 1 ? (
            <p className="m-dim m-small">{t("messages.attempts", { count: message.attempts })}</p>
          ) : null}
        </li>
      ))}
    </ul>
  );
}
