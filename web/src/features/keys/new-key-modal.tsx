import {
  Button,
  Checkbox,
  Group,
  Modal,
  NumberInput,
  Select,
  Stack,
  TagsInput,
  TextInput,
} from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { call, type Answer } from "../../api/client.ts";
import { QueryError } from "../../ui/query-error.tsx";
import { EMPTY_KEY, toNewKey, type KeyForm } from "./key-form.ts";
import { KEY_KINDS } from "./key-search.ts";
import { ShownKey } from "./shown-key.tsx";

export interface NewKeyModalProps {
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Makes a virtual key, and shows it this once. */
export function NewKeyModal({ opened, onClose }: NewKeyModalProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [form, setForm] = useState(EMPTY_KEY);
  const [made, setMade] = useState<Answer<"createGatewayKey"> | null>(null);
  const create = useMutation({
    mutationFn: () => call("createGatewayKey", { body: toNewKey(form) }),
    onSuccess: (key) => {
      setMade(key);
      void client.invalidateQueries({ queryKey: ["gateway-keys"] });
      void client.invalidateQueries({ queryKey: ["gateway-budgets"] });
    },
  });
  const change = (part: Partial<KeyForm>) => setForm((old) => ({ ...old, ...part }));
  const close = () => {
    onClose();
    setForm(EMPTY_KEY);
    setMade(null);
    create.reset();
  };
  const amount = (name: "day" | "month" | "task" | "requests" | "tokens", prefix: string) => (
    <NumberInput
      size="xs"
      label={t(`keys.form.${name}`)}
      placeholder={t("keys.form.noLimit")}
      min={0}
      allowNegative={false}
      hideControls
      prefix={prefix}
      decimalScale={prefix === "$" ? 6 : 0}
      thousandSeparator=","
      value={form[name]}
      onChange={(value) => change({ [name]: value })}
    />
  );
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={made === null ? t("keys.new") : t("keys.madeTitle", { id: made.id, name: made.name })}
      size="lg"
      closeOnClickOutside={made === null}
      closeOnEscape={made === null}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {made !== null ? (
        <ShownKey value={made.key} onDone={close} />
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate();
          }}
        >
          <Stack gap="sm">
            <TextInput
              label={t("keys.form.name")}
              description={t("keys.form.nameHint")}
              required
              maxLength={200}
              data-autofocus
              value={form.name}
              onChange={(event) => change({ name: event.currentTarget.value })}
            />
            <Group grow align="flex-start">
              <Select
                label={t("keys.form.kind")}
                data={KEY_KINDS.map((kind) => ({ value: kind, label: t(`keys.kind.${kind}`) }))}
                value={form.kind}
                onChange={(value) => change({ kind: KEY_KINDS.find((kind) => kind === value) ?? "person" })}
                allowDeselect={false}
              />
              <TextInput
                label={t("keys.form.team")}
                placeholder={t("keys.form.none")}
                maxLength={200}
                value={form.team}
                onChange={(event) => change({ team: event.currentTarget.value })}
              />
              <TextInput
                label={t("keys.form.bookOn")}
                placeholder="T12"
                value={form.taskId}
                onChange={(event) => change({ taskId: event.currentTarget.value.trim().toUpperCase() })}
              />
            </Group>
            <TagsInput
              size="xs"
              label={t("keys.form.models")}
              description={t("keys.form.modelsHint")}
              placeholder={form.models.length === 0 ? "claude-haiku-*" : ""}
              value={[...form.models]}
              onChange={(models) => change({ models })}
            />
            <Group grow align="flex-start">
              {amount("day", "$")}
              {amount("month", "$")}
              {amount("task", "$")}
            </Group>
            <Group grow align="flex-start">
              {amount("requests", "")}
              {amount("tokens", "")}
              <TextInput
                type="datetime-local"
                label={t("keys.form.expires")}
                value={form.expires}
                onChange={(event) => change({ expires: event.currentTarget.value })}
              />
            </Group>
            <Checkbox
              label={t("keys.form.cache")}
              description={t("keys.form.cacheHint")}
              checked={form.cache}
              onChange={(event) => change({ cache: event.currentTarget.checked })}
            />
            {create.isError ? <QueryError error={create.error} /> : null}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={close}>
                {t("common.cancel")}
              </Button>
              <Button type="submit" loading={create.isPending} disabled={form.name.trim() === ""}>
                {t("keys.form.create")}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
