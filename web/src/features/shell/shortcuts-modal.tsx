import { Kbd, Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";

const SHORTCUTS = [
  { id: "palette", keys: ["Ctrl", "K"] },
  { id: "goOverview", keys: ["g", "o"] },
  { id: "goTasks", keys: ["g", "t"] },
  { id: "goAgents", keys: ["g", "a"] },
  { id: "goMessages", keys: ["g", "m"] },
  { id: "goChat", keys: ["g", "c"] },
  { id: "goGateway", keys: ["g", "r"] },
  { id: "search", keys: ["/"] },
  { id: "down", keys: ["j"] },
  { id: "up", keys: ["k"] },
  { id: "open", keys: ["Enter"] },
  { id: "select", keys: ["x"] },
  { id: "explain", keys: ["e"] },
  { id: "create", keys: ["c"] },
  { id: "help", keys: ["?"] },
] as const;

export interface ShortcutsModalProps {
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Every key of the console. */
export function ShortcutsModal({ opened, onClose }: ShortcutsModalProps) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t("shortcuts.title")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <dl className="m-shortcuts">
        {SHORTCUTS.map(({ id, keys }) => (
          <div key={id} className="m-row">
            <dt className="m-grow">{t(`shortcuts.${id}`)}</dt>
            <dd className="m-row">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
