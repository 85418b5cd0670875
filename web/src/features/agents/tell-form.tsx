import { Button, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../../api/client.ts";
import { IconSend } from "../../ui/icons.ts";
import { useMay } from "../shell/use-may.ts";
import { useTell } from "../shell/use-tell.tsx";
import { useSlotLabel } from "./use-slot-label.ts";

export interface TellFormProps {
  readonly slot: string;
}

/** Says something to the agent that works in the slot. Ctrl/⌘-Enter sends. */
export function TellForm({ slot }: TellFormProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useTell();
  const may = useMay("operate");
  const name = useSlotLabel()(slot);
  const [text, setText] = useState("");
  const send = useMutation({
    mutationFn: () => call("tellAgent", { params: { slot }, body: { text } }),
    onSuccess: () => {
      setText("");
      void client.invalidateQueries({ queryKey: ["messages"] });
      void client.invalidateQueries({ queryKey: ["task-messages"] });
      tell.done(t("agents.told", { name }));
    },
    onError: tell.failed,
  });
  if (!may) return null;
  return (
    <form
      className="m-tell"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "") send.mutate();
      }}
    >
      <Textarea
        className="m-grow"
        autosize
        minRows={1}
        maxRows={6}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey))
            event.currentTarget.form?.requestSubmit();
        }}
        placeholder={t("agents.tellPlaceholder", { name })}
        aria-label={t("agents.tellPlaceholder", { name })}
      />
      <Button
        type="submit"
        variant="default"
        leftSection={<IconSend size={14} />}
        loading={send.isPending}
        disabled={text.trim() === ""}
      >
        {t("agents.tell")}
      </Button>
    </form>
  );
}
