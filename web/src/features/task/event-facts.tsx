import type { EventView } from "../../../../src/contract/index.ts";
import { useTranslation } from "react-i18next";
import { useReason } from "../../i18n/use-reason.ts";
import { useWord } from "../../i18n/use-word.ts";
import { describeFacts } from "./describe-facts.ts";

export interface EventFactsProps {
  readonly event: EventView;
}

/** The facts that an event carries, in the viewer's words. */
export function EventFacts({ event }: EventFactsProps) {
  const { t } = useTranslation();
  const word = useWord();
  const say = useReason();
  return (
    <span className="m-dim">
      {event.runId === null ? null : <span className="m-mono">{event.runId} </span>}
      {event.slot === null ? null : <span className="m-mono">{event.slot} </span>}
      {describeFacts(event, { word, say, separator: t("common.comma") })}
    </span>
  );
}
