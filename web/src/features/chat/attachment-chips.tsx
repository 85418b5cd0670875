import { CloseButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { AttachmentView } from "../../../../src/contract/index.ts";
import { IconPaperclip } from "../../ui/icons.ts";

export interface AttachmentChipsProps {
  readonly items: readonly AttachmentView[];
  readonly onRemove?: (id: string) => void;
}

const addressOf = (id: string): string => `/api/chat/attachments/${id}/content`;

/** Attached images as pictures, texts by their name; each opens its content. */
export function AttachmentChips({ items, onRemove }: AttachmentChipsProps) {
  const { t } = useTranslation();
  if (items.length === 0) return null;
  return (
    <ul className="m-chat-files" aria-label={t("chat.attachments")}>
      {items.map(({ id, name, mediaType, sizeBytes }) => (
        <li key={id} className="m-chat-file">
          <a href={addressOf(id)} target="_blank" rel="noreferrer" className="m-row">
            {mediaType.startsWith("image/") ? (
              <img src={addressOf(id)} alt="" height={32} />
            ) : (
              <IconPaperclip size={14} aria-hidden="true" />
            )}
            <span className="m-cut">{name}</span>
            <span className="m-dim m-small">{formatBytes(sizeBytes)}</span>
          </a>
          {onRemove === undefined ? null : (
            <CloseButton size="xs" aria-label={t("chat.removeFile", { name })} onClick={() => onRemove(id)} />
          )}
        </li>
      ))}
    </ul>
  );
}

function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_024 * 1_024) return `${Math.round(bytes / 1_024)} KiB`;
  return `${(bytes / 1_024 / 1_024).toFixed(1)} MiB`;
}
