import { useTranslation } from "react-i18next";

export interface StepNameProps {
  readonly name: string;
}

/** A step of the default workflow in the viewer's language; a step of an own workflow as it is named there. */
export function StepName({ name }: StepNameProps) {
  const { t, i18n } = useTranslation();
  const key = `step.${name}`;
  return <span>{i18n.exists(key) ? (t as (key: string) => string)(key) : name}</span>;
}
