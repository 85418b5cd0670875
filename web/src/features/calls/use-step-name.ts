import { useTranslation } from "react-i18next";

const KNOWN = ["draft", "critique", "final", "retention", "summary", "lost"] as const;

/** Words for the steps of chains. A call that is no step is what the steps were made for: the answer itself. */
export function useStepName(): (step: string | null) => string {
  const { t } = useTranslation();
  return (step) => {
    const known = KNOWN.find((one) => one === (step ?? "final"));
    return known === undefined ? (step ?? "") : t(`calls.step.${known}`);
  };
}
