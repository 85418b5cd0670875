import { useTranslation } from "react-i18next";
import { Sign } from "./sign.tsx";
import { LOOKS, type Look, type StateDomain, type StateDomains } from "./state-look.ts";

export type StateBadgeProps = {
  readonly [D in StateDomain]: { readonly of: D; readonly state: StateDomains[D]; readonly pill?: boolean };
}[StateDomain];

/** A state as shape, colour and word. */
export function StateBadge(props: StateBadgeProps) {
  const { t } = useTranslation();
  const looks: Readonly<Record<string, Look>> = LOOKS[props.of];
  const look = looks[props.state] ?? { shape: "ring", tone: "idle" };
  const word = (t as (key: string) => string)(`state.${props.of}.${props.state}`);
  return (
    <span className={`m-state m-tone-${look.tone}${props.pill === true ? " m-state-pill" : ""}`}>
      <Sign look={look} />
      {word}
    </span>
  );
}
