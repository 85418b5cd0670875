import { useTranslation } from "react-i18next";
import { CommandBlock } from "../transcript/command-block.tsx";
import { useTranscript } from "../transcript/use-transcript.ts";

export interface CheckCommandsProps {
  readonly runId: string;
}

/** Commands of one run with their output. */
export function CheckCommands({ runId }: CheckCommandsProps) {
  const { t } = useTranslation();
  const { rows, loading } = useTranscript(runId);
  const commands = rows.flatMap((row) =>
    row.body.kind === "command" ? [{ key: row.key, body: row.body }] : [],
  );
  return (
    <div className="m-check-body">
      {commands.length === 0 ? (
        <p className="m-dim">{loading ? t("common.loading") : t("checks.noCommands")}</p>
      ) : (
        commands.map(({ key, body }) => <CommandBlock key={key} body={body} initiallyOpen />)
      )}
    </div>
  );
}
