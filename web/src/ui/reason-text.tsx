import type { Reason } from "../../../src/contract/index.ts";
import { useReason } from "../i18n/use-reason.ts";
import { FixText } from "./fix-text.tsx";

export interface ReasonTextProps {
  readonly reason: Reason;
  /** Also shows what helps. */
  readonly withFix?: boolean;
}

/** A reason in words, in the viewer's language. */
export function ReasonText({ reason, withFix = false }: ReasonTextProps) {
  const say = useReason();
  return (
    <>
      {say(reason)}
      {withFix && reason.fix !== null ? (
        <>
          {" "}
          <FixText text={reason.fix} />
        </>
      ) : null}
    </>
  );
}
