import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeadLetterView } from "../../../../src/contract/index.ts";
import { deadLetterQuery } from "../../api/queries.ts";
import { ConfirmModal } from "../../ui/confirm-modal.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { useMay } from "../shell/use-may.ts";
import { useDeadLetterAction } from "./use-dead-letter-action.ts";

export interface DeadLetterItemProps {
  readonly letter: DeadLetterView;
}

/** One of them: what it was, why it failed, and what a person may do. */
export function DeadLetterItem({ letter }: DeadLetterItemProps) {
  const { t } = useTranslation();
  const mayOperate = useMay("operate");
  const action = useDeadLetterAction();
  const [isOpen, setOpen] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const { data } = useQuery({ ...deadLetterQuery(letter.id), enabled: isOpen });
  const act = (type: "retry" | "discard") => action.mutate({ type, id: letter.id });
  return (
    <li className="m-message">
      <div className="m-row m-small">
        <strong>{t(`deadLetters.kind.${letter.kind}`)}</strong>
        <span>{letter.what}</span>
        <span className="m-dim" aria-label={t("messages.to")}>
          →
        </span>
        <span className="m-mono">{letter.target}</span>
        {letter.taskId === null || letter.taskId === letter.target ? null : (
          <Link to="/tasks/$taskId" params={{ taskId: letter.taskId }} className="m-mono m-underline">
            {letter.taskId}
          </Link>
        )}
        <span className="m-grow" />
        <span className="m-dim">
          <RelativeTime at={letter.diedAt} />
        </span>
      </div>
      <p>{letter.error}</p>
      <div className="m-row m-small">
        <span className="m-dim">{t("messages.attempts", { count: letter.attempts })}</span>
        <span className="m-grow" />
        <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setOpen(!isOpen)}>
          {t(isOpen ? "deadLetters.hide" : "deadLetters.show")}
        </Button>
        {mayOperate ? (
          <>
            <Button
              size="compact-sm"
              variant="default"
              loading={action.isPending}
              onClick={() => act("retry")}
            >
              {t("deadLetters.retry")}
            </Button>
            <Button size="compact-sm" variant="subtle" color="red" onClick={() => setAsking(true)}>
              {t("deadLetters.discard")}
            </Button>
          </>
        ) : null}
      </div>
      {isOpen && data !== undefined ? <pre className="m-mono m-small">{data.content}</pre> : null}
      <ConfirmModal
        opened={isAsking}
        title={t("deadLetters.ask")}
        confirmLabel={t("deadLetters.discard")}
        danger
        busy={action.isPending}
        onConfirm={() => {
          act("discard");
          setAsking(false);
        }}
        onClose={() => setAsking(false)}
      >
        {t("deadLetters.askText")}
      </ConfirmModal>
    </li>
  );
}
