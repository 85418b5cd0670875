import { UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { TranscriptBody } from "../../../../src/contract/index.ts";
import { IconChevronDown, IconChevronRight } from "../../ui/icons.ts";
import { InlineDiff } from "./inline-diff.tsx";

export interface ToolBlockProps {
  readonly body: Extract<TranscriptBody, { kind: "tool" }>;
}

const TONES = { pending: "idle", running: "running", completed: "done", failed: "failed" } as const;

/** A tool call: folded to its title, with its edits in sight. */
export function ToolBlock({ body }: ToolBlockProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const details = [
    { label: t("transcript.input"), text: body.input },
    { label: t("transcript.output"), text: body.output },
  ].filter(({ text }) => text !== null && text !== "");
  const head = (
    <>
      <span className={`m-tool-kind m-tone-${TONES[body.status]}`}>{t(`transcript.tool.${body.tool}`)}</span>
      <span className="m-cut m-grow m-mono">{body.title}</span>
      {body.status === "completed" ? null : (
        <span className={`m-small m-tone-${TONES[body.status]}`}>
          {t(`transcript.status.${body.status}`)}
        </span>
      )}
    </>
  );
  return (
    <div className="m-tool">
      {details.length === 0 ? (
        <div className="m-tool-head">
          <span className="m-tool-gap" />
          {head}
        </div>
      ) : (
        <UnstyledButton className="m-tool-head" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
          {head}
        </UnstyledButton>
      )}
      {body.diffs.map((diff) => (
        <InlineDiff key={diff.path} diff={diff} />
      ))}
      {open
        ? details.map(({ label, text }) => (
            <figure key={label} className="m-tool-detail">
              <figcaption className="m-dim m-small">{label}</figcaption>
              <pre className="m-output" tabIndex={0} aria-label={label}>
                {text?.trimEnd()}
              </pre>
            </figure>
          ))
        : null}
    </div>
  );
}
