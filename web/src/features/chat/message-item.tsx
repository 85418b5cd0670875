import { ActionIcon, Button, Textarea, Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { memo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ChatMessage, ChatNote } from "../../../../src/contract/index.ts";
import { useReason } from "../../i18n/use-reason.ts";
import { FixText } from "../../ui/fix-text.tsx";
import { formatCount, formatDuration, formatMoney } from "../../ui/format.ts";
import { IconChevronLeft, IconChevronRight, IconPencil, IconRefresh } from "../../ui/icons.ts";
import { AttachmentChips } from "./attachment-chips.tsx";
import { CopyText } from "./code-block.tsx";
import { RichText } from "./rich-text.tsx";
import { usePaced } from "./use-paced.ts";

export interface MessageActions {
  readonly showBranch: (messageId: string) => void;
  readonly regenerate: (messageId: string) => void;
  /** Says something else instead, as a branch. */
  readonly edit: (message: ChatMessage, content: string) => Promise<void>;
}

export interface MessageItemProps {
  readonly message: ChatMessage;
  readonly siblings: readonly string[];
  /** Null: the person may only look. */
  readonly actions: MessageActions | null;
  /** Nothing can be said now: an answer is being written. */
  readonly busy: boolean;
}

/** One message with what can be done with it. */
export const MessageItem = memo(function MessageItem(props: MessageItemProps) {
  const { message } = props;
  if (message.note !== null) return <Note note={message.note} />;
  return message.role === "user" ? <Said {...props} /> : <Answer {...props} />;
});

function Said({ message, siblings, actions, busy }: MessageItemProps) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <article className="m-chat-said" aria-label={t("chat.you")}>
      {draft === null ? (
        <>
          <AttachmentChips items={message.attachments} />
          {message.content === "" ? null : <p className="m-chat-bubble">{message.content}</p>}
        </>
      ) : (
        <form
          className="m-chat-edit"
          onSubmit={(event) => {
            event.preventDefault();
            void actions?.edit(message, draft).then(
              () => setDraft(null),
              () => {},
            );
          }}
        >
          <Textarea
            autosize
            minRows={2}
            maxRows={12}
            value={draft}
            onChange={(event) => setDraft(event.currentTarget.value)}
            aria-label={t("chat.edit")}
            autoFocus
          />
          <div className="m-row" style={{ justifyContent: "flex-end" }}>
            <Button variant="default" onClick={() => setDraft(null)}>
              {t("common.cancel")}
            </Button>
            <Button
              type="submit"
              disabled={busy || (draft.trim() === "" && message.attachments.length === 0)}
            >
              {t("chat.send")}
            </Button>
          </div>
        </form>
      )}
      <footer className="m-chat-tools">
        <Branches id={message.id} siblings={siblings} actions={actions} />
        <CopyText read={() => message.content} label={t("common.copy")} />
        {actions === null ? null : (
          <Tool label={t("chat.edit")} disabled={busy} onClick={() => setDraft(message.content)}>
            <IconPencil size={14} />
          </Tool>
        )}
      </footer>
    </article>
  );
}

function Answer({ message, siblings, actions, busy }: MessageItemProps) {
  const { t } = useTranslation();
  const say = useReason();
  const streaming = message.state === "streaming";
  const content = usePaced(message.content, streaming);
  const { reason } = message;
  return (
    <article
      className="m-chat-answer"
      aria-label={message.persona ?? t("chat.assistant")}
      data-state={message.state}
    >
      <header className="m-row m-small">
        <strong>{message.persona ?? t("chat.assistant")}</strong>
        {message.attempt > 1 ? <span className="m-dim">{t("chat.continued")}</span> : null}
      </header>
      {content === "" && streaming ? (
        <p className="m-dim m-chat-waiting">{t("chat.waiting")}</p>
      ) : (
        <RichText text={content} />
      )}
      {reason === null ? null : (
        <div className="m-chat-reason" data-tone={message.state === "failed" ? "failed" : "waiting"}>
          <p>{say(reason)}</p>
          {reason.fix === null ? null : <FixText text={reason.fix} />}
        </div>
      )}
      {message.state === "stopped" ? <p className="m-dim m-small">{t("chat.stopped")}</p> : null}
      {streaming ? null : (
        <footer className="m-chat-tools">
          <Branches id={message.id} siblings={siblings} actions={actions} />
          <CopyText read={() => message.content} label={t("common.copy")} />
          {actions === null ? null : (
            <Tool label={t("chat.regenerate")} disabled={busy} onClick={() => actions.regenerate(message.id)}>
              <IconRefresh size={14} />
            </Tool>
          )}
          <Figures message={message} />
        </footer>
      )}
    </article>
  );
}

/** Which model it was, what it took and cost, as the ledger knows it. */
function Figures({ message }: { readonly message: ChatMessage }) {
  const { t } = useTranslation();
  const { model, tokensIn, tokensOut, costMicros, firstTokenMs, compressRatio, retention } = message;
  const cost = formatMoney(costMicros);
  const parts = [
    ...(model === null ? [] : [model]),
    ...(tokensIn === null || tokensOut === null
      ? []
      : [t("chat.tokens", { in: formatCount(tokensIn), out: formatCount(tokensOut) })]),
    ...(cost === null ? [] : [cost]),
    ...(compressRatio === null || compressRatio >= 1
      ? []
      : [t("chat.trimmed", { percent: Math.round((1 - compressRatio) * 100) })]),
    ...(retention === null ? [] : [t("chat.retention", { percent: Math.round(retention * 100) })]),
    ...(firstTokenMs === null ? [] : [t("chat.firstToken", { duration: shortDuration(firstTokenMs) })]),
  ];
  const line = <span className="m-dim m-small m-chat-figures">{parts.join(" · ")}</span>;
  if (message.steps.length < 2) return line;
  const steps = message.steps.map(({ name, tokensIn: into, tokensOut: out }) => {
    const step = REFLECT_STEPS.find((one) => one === name);
    const tokens = t("chat.tokens", { in: formatCount(into ?? 0), out: formatCount(out ?? 0) });
    return step === undefined ? tokens : `${t(`chat.stepName.${step}`)}: ${tokens}`;
  });
  return (
    <>
      {line}
      <span className="m-dim m-small m-chat-figures">{steps.join(" · ")}</span>
    </>
  );
}

/** As the contract has them. */
const REFLECT_STEPS = ["draft", "critique", "final"] as const;

const shortDuration = (ms: number): string => (ms < 1_000 ? `${ms} ms` : formatDuration(ms));

interface BranchesProps {
  readonly id: string;
  readonly siblings: readonly string[];
  readonly actions: MessageActions | null;
}

function Branches({ id, siblings, actions }: BranchesProps) {
  const { t } = useTranslation();
  if (siblings.length < 2) return null;
  const at = siblings.indexOf(id);
  const [before, after] = [siblings[at - 1], siblings[at + 1]];
  const show = (other: string | undefined) => () => other !== undefined && actions?.showBranch(other);
  return (
    <span className="m-row m-chat-branches" role="group" aria-label={t("chat.branches")}>
      <Tool
        label={t("chat.branchBefore")}
        disabled={before === undefined || actions === null}
        onClick={show(before)}
      >
        <IconChevronLeft size={14} />
      </Tool>
      <span className="m-small">
        {at + 1} / {siblings.length}
      </span>
      <Tool
        label={t("chat.branchAfter")}
        disabled={after === undefined || actions === null}
        onClick={show(after)}
      >
        <IconChevronRight size={14} />
      </Tool>
    </span>
  );
}

interface ToolProps {
  readonly label: string;
  readonly disabled: boolean;
  readonly onClick: () => void;
  readonly children: React.ReactNode;
}

function Tool({ label, disabled, onClick, children }: ToolProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon size="sm" aria-label={label} disabled={disabled} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

/** What a slash command did. */
function Note({ note }: { readonly note: ChatNote }) {
  const { t } = useTranslation();
  switch (note.kind) {
    case "task":
      return (
        <p className="m-chat-note">
          {t("chat.note.task", { repository: note.repositoryName })}{" "}
          <Link to="/tasks/$taskId" params={{ taskId: note.taskId }} className="m-underline">
            {note.taskId} {note.title}
          </Link>
        </p>
      );
    case "asked":
      return (
        <p className="m-chat-note">
          {t("chat.note.asked", { slot: note.slot })}{" "}
          <Link to="/messages" search={{ view: "mail" }} className="m-underline">
            {t("chat.note.toMessages")}
          </Link>
        </p>
      );
    case "persona":
      return (
        <p className="m-chat-note">
          {note.persona === null
            ? t("chat.note.noPersona")
            : t("chat.note.persona", { persona: note.persona })}
        </p>
      );
  }
}
