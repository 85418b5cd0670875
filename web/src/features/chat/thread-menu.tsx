import { ActionIcon, Button, Menu, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ChatThread } from "../../../../src/contract/index.ts";
import { call } from "../../api/client.ts";
import { ConfirmModal } from "../../ui/confirm-modal.tsx";
import { IconDots, IconDownload, IconPencil, IconTrash } from "../../ui/icons.ts";
import { useTell } from "../shell/use-tell.tsx";
import { updateThread } from "./chat-queries.ts";

export interface ThreadMenuProps {
  readonly thread: ChatThread;
  readonly may: boolean;
}

/** Export, rename, delete. */
export function ThreadMenu({ thread, may }: ThreadMenuProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const tell = useTell();
  const [title, setTitle] = useState<string | null>(null);
  const [deleting, setDeleting] = useState(false);
  const { id } = thread;
  const save = useMutation({
    mutationFn: (format: "markdown" | "json") => call("exportThread", { params: { id }, query: { format } }),
    onSuccess: saveFile,
    onError: tell.failed,
  });
  const rename = useMutation({
    mutationFn: (wanted: string) => call("changeThread", { params: { id }, body: { title: wanted } }),
    onSuccess: (changed) => {
      updateThread(client, id, (known) => ({ ...known, thread: changed }));
      void client.invalidateQueries({ queryKey: ["chat-threads"] });
      setTitle(null);
    },
    onError: tell.failed,
  });
  const remove = useMutation({
    mutationFn: () => call("deleteThread", { params: { id }, body: {} }),
    onSuccess: async () => {
      await navigate({ to: "/chat" });
      client.removeQueries({ queryKey: ["chat-thread", id] });
      void client.invalidateQueries({ queryKey: ["chat-threads"] });
    },
    onError: tell.failed,
  });
  return (
    <>
      <Menu>
        <Menu.Target>
          <ActionIcon aria-label={t("chat.menu")}>
            <IconDots size={18} stroke={1.6} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {(["markdown", "json"] as const).map((format) => (
            <Menu.Item
              key={format}
              leftSection={<IconDownload size={14} />}
              onClick={() => save.mutate(format)}
            >
              {t(`chat.export.${format}`)}
            </Menu.Item>
          ))}
          {may ? (
            <>
              <Menu.Divider />
              <Menu.Item leftSection={<IconPencil size={14} />} onClick={() => setTitle(thread.title)}>
                {t("chat.rename")}
              </Menu.Item>
              <Menu.Item color="red" leftSection={<IconTrash size={14} />} onClick={() => setDeleting(true)}>
                {t("chat.delete")}
              </Menu.Item>
            </>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={title !== null}
        onClose={() => setTitle(null)}
        title={t("chat.rename")}
        closeButtonProps={{ "aria-label": t("common.close") }}
      >
        <form
          className="m-stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (title !== null && title.trim() !== "") rename.mutate(title);
          }}
        >
          <TextInput
            aria-label={t("chat.title")}
            value={title ?? ""}
            maxLength={200}
            onChange={(event) => setTitle(event.currentTarget.value)}
            data-autofocus
          />
          <div className="m-row" style={{ justifyContent: "flex-end" }}>
            <Button type="submit" loading={rename.isPending} disabled={title?.trim() === ""}>
              {t("common.save")}
            </Button>
          </div>
        </form>
      </Modal>
      <ConfirmModal
        opened={deleting}
        title={t("chat.deleteTitle")}
        confirmLabel={t("chat.delete")}
        danger
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
        onClose={() => setDeleting(false)}
      >
        {t("chat.deleteWhat")}
      </ConfirmModal>
    </>
  );
}

function saveFile(file: {
  readonly fileName: string;
  readonly mediaType: string;
  readonly text: string;
}): void {
  const address = URL.createObjectURL(new Blob([file.text], { type: file.mediaType }));
  const link = document.createElement("a");
  link.href = address;
  link.download = file.fileName;
  link.click();
  URL.revokeObjectURL(address);
}
