import { ActionIcon, Button, FileButton, Textarea, Tooltip } from "@mantine/core";
import { useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { AttachmentView } from "../../../../src/contract/index.ts";
import { IconPaperclip, IconPlayerStop, IconSend } from "../../ui/icons.ts";
import { AttachmentChips } from "./attachment-chips.tsx";
import { loadDraft, saveDraft } from "./draft-store.ts";
import { SlashMenu, useSlashChoices } from "./slash-menu.tsx";
import { useAttachments } from "./use-attachments.ts";

export interface Draft {
  readonly text: string;
  readonly attachments: readonly AttachmentView[];
}

export interface ComposerProps {
  /** Under which an unsent text is kept. */
  readonly draftKey: string;
  readonly busy: boolean;
  readonly autoFocus?: boolean;
  /** Where it rejects, the text stays in the field. */
  readonly onSend: (draft: Draft) => Promise<void>;
  /** Present while an answer is being written: it can be ended, and nothing sent. */
  readonly onStop?: () => void;
  /** What stands beside the attachments, e.g. persona and model. */
  readonly controls?: ReactNode;
}

const ACCEPTED =
  "image/png,image/jpeg,image/gif,image/webp,text/*,.md,.json,.yaml,.yml,.ts,.tsx,.js,.py,.rs,.go,.sql,.log,.csv";

/** An Enter that ends a composition of Japanese belongs to the composition; Safari tells that only by the key's code. */
function isComposing(event: KeyboardEvent): boolean {
  return event.nativeEvent.isComposing || event.keyCode === 229;
}

/** The field for the next message. Enter sends, Shift-Enter begins a line, Esc stops an answer. */
export function Composer(props: ComposerProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(() => loadDraft(props.draftKey));
  const field = useRef<HTMLTextAreaElement>(null);
  const files = useAttachments();
  const choices = useSlashChoices(text);
  const answering = props.onStop !== undefined;
  const isEmpty = text.trim() === "" && files.items.length === 0;
  const blocked = props.busy || answering || files.uploading || isEmpty;

  const change = (next: string): void => {
    setText(next);
    saveDraft(props.draftKey, next);
  };
  const send = (): void => {
    if (blocked) return;
    props.onSend({ text, attachments: files.items }).then(
      () => {
        change("");
        files.clear();
      },
      () => {},
    );
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isComposing(event)) return;
    const [first] = choices;
    if (event.key === "Tab" && !event.shiftKey && first !== undefined) {
      event.preventDefault();
      change(first.text);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") props.onStop?.();
  };

  return (
    <form
      className="m-chat-composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        files.add(event.dataTransfer.files);
      }}
    >
      <SlashMenu
        choices={choices}
        onChoose={(next) => {
          change(next);
          field.current?.focus();
        }}
      />
      <AttachmentChips items={files.items} onRemove={files.remove} />
      <Textarea
        ref={field}
        variant="unstyled"
        autosize
        minRows={2}
        maxRows={12}
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onPaste={(event) => {
          if (event.clipboardData.files.length === 0) return;
          event.preventDefault();
          files.add(event.clipboardData.files);
        }}
        placeholder={t("chat.placeholder")}
        aria-label={t("chat.message")}
        {...(props.autoFocus === true ? { "data-autofocus": true, autoFocus: true } : {})}
      />
      <div className="m-chat-composer-foot">
        <FileButton onChange={files.add} accept={ACCEPTED} multiple>
          {(button) => (
            <Tooltip label={t("chat.attach")}>
              <ActionIcon
                {...button}
                aria-label={t("chat.attach")}
                loading={files.uploading}
                disabled={files.full}
              >
                <IconPaperclip size={16} stroke={1.6} />
              </ActionIcon>
            </Tooltip>
          )}
        </FileButton>
        {props.controls}
        {answering ? (
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={14} />}
            onClick={() => props.onStop?.()}
          >
            {t("chat.stop")}
          </Button>
        ) : (
          <Button type="submit" leftSection={<IconSend size={14} />} loading={props.busy} disabled={blocked}>
            {t("chat.send")}
          </Button>
        )}
      </div>
    </form>
  );
}
