import { Button, Group, Modal, PasswordInput, Stack } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ProviderView } from "../../../../src/contract/index.ts";
import { call } from "../../api/client.ts";
import { QueryError } from "../../ui/query-error.tsx";
import { useTell } from "../shell/use-tell.tsx";

export interface ProviderKeyModalProps {
  readonly of: ProviderView;
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Seals the key of a provider, which is never shown again, or forgets it. */
export function ProviderKeyModal({ of: provider, opened, onClose }: ProviderKeyModalProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useTell();
  const [value, setValue] = useState("");
  const params = { provider: provider.name };
  const change = useMutation({
    mutationFn: (key: string | null) =>
      key === null
        ? call("removeProviderKey", { params, body: {} })
        : call("setProviderKey", { params, body: { key } }),
    onSuccess: async (_row, key) => {
      tell.done(t(key === null ? "providers.keyForgotten" : "providers.keySealed", params));
      close();
      await client.invalidateQueries({ queryKey: ["gateway-providers"] });
    },
  });
  const close = () => {
    setValue("");
    change.reset();
    onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t("providers.setKeyOf", { name: provider.name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(value.trim());
        }}
      >
        <Stack gap="sm">
          <PasswordInput
            size="xs"
            label={t("providers.keyField")}
            description={t("providers.keyHint")}
            visibilityToggleButtonProps={{ "aria-label": t("providers.showKey") }}
            autoComplete="off"
            required
            data-autofocus
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
          {change.isError ? <QueryError error={change.error} /> : null}
          <Group justify="flex-end" gap="xs">
            {provider.key === "sealed" ? (
              <Button
                variant="light"
                color="red"
                loading={change.isPending}
                onClick={() => change.mutate(null)}
              >
                {t("providers.forgetKey")}
              </Button>
            ) : null}
            <Button variant="default" onClick={close}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={change.isPending} disabled={value.trim() === ""}>
              {t("providers.sealKey")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
