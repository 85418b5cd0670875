import "./class-tag.css";
import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";

export interface ClassTagProps {
  readonly of: "P0" | "P1" | "P2";
}

/** Urgency class; its meaning on hover. */
export function ClassTag({ of }: ClassTagProps) {
  const { t } = useTranslation();
  return (
    <Tooltip label={t(`common.class.${of}`)}>
      <span className={`m-class m-class-${of}`}>{of}</span>
    </Tooltip>
  );
}
