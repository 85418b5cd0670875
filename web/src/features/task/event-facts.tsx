import type { EventView } from "../../../../src/contract/index.ts";
import { describeFacts } from "./describe-facts.ts";

export interface EventFactsProps {
  readonly event: EventView;
}

/** The facts that an event carries, as they were recorded. */
export function EventFacts({ event }: EventFactsProps) {
  return (
    <span className="m-dim">
      {event.runId === null ? null : <span className="m-mono">{event.runId} </span>}
      {event.slot === null ? null : <span className="m-mono">{event.slot} </span>}
      {describeFacts(event.data)}
    </span>
  );
}
