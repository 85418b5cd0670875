import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { GatewayKeyUse, GatewayKeyView } from "../../../../src/contract/index.ts";
import { call } from "../../api/client.ts";
import { ConfirmModal } from "../../ui/confirm-modal.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { useTell } from "../shell/use-tell.tsx";

export interface RevokeKeyProps {
  readonly of: GatewayKeyView;
  readonly use: GatewayKeyUse | null;
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Says who will be refused before a key is ended. */
export function RevokeKey({ of: key, use, opened, onClose }: RevokeKeyProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useTell();
  const revoke = useMutation({
    mutationFn: () => call("revokeGatewayKey", { params: { id: key.id }, body: {} }),
    onSuccess: async () => {
      tell.done(t("keys.revoked", { id: key.id }));
      await client.invalidateQueries({ queryKey: ["gateway-keys"] });
    },
    onError: tell.failed,
    onSettled: onClose,
  });
  return (
    <ConfirmModal
      opened={opened}
      title={t("keys.revokeTitle", { id: key.id, name: key.name })}
      confirmLabel={t("keys.revoke")}
      danger
      busy={revoke.isPending}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    >
      <p>{t("keys.revokeWhat")}</p>
      <p className="m-dim">
        {use === null ? (
          t("keys.neverUsed")
        ) : (
          <>
            {t("keys.lastUsed")} <RelativeTime at={use.lastUsedAt} />
            {" · "}
            {t("keys.calls", { count: use.calls, calls: use.calls })}
          </>
        )}
      </p>
    </ConfirmModal>
  );
}
