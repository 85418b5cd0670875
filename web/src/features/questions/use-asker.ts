import { useTranslation } from "react-i18next";
import { useSlotLabel } from "../agents/use-slot-label.ts";

/** Who asks, by name: an agent, or the workflow where a step needs an approval. */
export function useAsker(asker: string): string {
  const { t } = useTranslation();
  const label = useSlotLabel();
  return asker === "workflow" ? t("questions.workflow") : label(asker);
}
