import "./transcript.css";
import { UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { TranscriptBody } from "../../../../src/contract/index.ts";
import { formatDuration } from "../../ui/format.ts";
import { IconChevronDown, IconChevronRight } from "../../ui/icons.ts";

export interface CommandBlockProps {
  readonly body: Extract<TranscriptBody, { kind: "command" }>;
  readonly initiallyOpen: boolean;
}

/** A command with its output, exit code and duration. */
export function CommandBlock({ body, initiallyOpen }: CommandBlockProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(initiallyOpen);
  const tone = body.exitCode === null ? "running" : body.exitCode === 0 ? "done" : "failed";
  return (
    <div className="m-tool">
      <UnstyledButton className="m-tool-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
        <code className="m-cut m-grow">$ {body.command}</code>
        {body.cached ? <span className="m-label">{t("checks.cached")}</span> : null}
        <span className={`m-small m-tone-${tone}`}>
          {body.exitCode === null ? t("transcript.running") : t("transcript.exit", { code: body.exitCode })}
        </span>
        {body.durationMs === null ? null : (
          <span className="m-num m-dim m-small">{formatDuration(body.durationMs)}</span>
        )}
      </UnstyledButton>
      {open && body.output !== "" ? (
        <pre className="m-output" tabIndex={0} aria-label={t("transcript.output")}>
          {body.output.trimEnd()}
        </pre>
      ) : null}
    </div>
  );
}
