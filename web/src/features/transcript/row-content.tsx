import { UnstyledButton } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { TranscriptBody } from "../../../../src/contract/index.ts";
import { useWord } from "../../i18n/use-word.ts";
import { IconChevronDown, IconChevronRight } from "../../ui/icons.ts";
import { Markdown } from "../../ui/markdown.tsx";
import { CommandBlock } from "./command-block.tsx";
import { ToolBlock } from "./tool-block.tsx";

export interface RowContentProps {
  readonly body: TranscriptBody;
  readonly turn: number;
}

/** What one row of the transcript says, by its kind. */
export function RowContent({ body, turn }: RowContentProps) {
  const { t } = useTranslation();
  const word = useWord();
  switch (body.kind) {
    case "prompt":
      return (
        <Folded
          title={t("transcript.turn", { number: turn })}
          className="m-turn"
          summary={firstLine(body.text)}
        >
          <pre className="m-output m-wrap">{body.text}</pre>
        </Folded>
      );
    case "text":
      return <Markdown text={body.text} />;
    case "thought":
      return (
        <Folded title={t("transcript.thought")} className="m-thought" summary={firstLine(body.text)}>
          <Markdown text={body.text} />
        </Folded>
      );
    case "tool":
      return <ToolBlock body={body} />;
    case "command":
      return <CommandBlock body={body} initiallyOpen={body.exitCode !== 0} />;
    case "plan":
      return (
        <ul className="m-plan">
          {body.entries.map((entry, index) => (
            <li key={index} className={`m-plan-${entry.status}`}>
              <span className="m-dim m-small">{t(`transcript.plan.${entry.status}`)}</span> {entry.text}
            </li>
          ))}
        </ul>
      );
    case "permission":
      return (
        <p className="m-wrap-anywhere">
          <strong className={body.decision === "denied" ? "m-tone-failed" : "m-tone-waiting"}>
            {t(`transcript.permission.${body.decision}`)}
          </strong>{" "}
          {body.title}
          {body.by === null ? null : (
            <span className="m-dim m-small"> {t(`transcript.permission.by_${body.by}`)}</span>
          )}
        </p>
      );
    case "person":
      return (
        <p className="m-person-line">
          <strong>{t("transcript.person")}</strong> {body.text}
        </p>
      );
    case "result":
      return (
        <div className="m-result">
          <p>
            <strong>{t("transcript.result")}</strong> {word(`verdict.${body.verdict}`, body.verdict)}
          </p>
          {body.notes === "" ? null : <Markdown text={body.notes} />}
        </div>
      );
    case "notice":
      return <p className={`m-notice m-notice-${body.level} m-wrap-anywhere`}>{body.text}</p>;
    case "end":
      return (
        <p className={`m-notice m-wrap-anywhere ${body.outcome === "failed" ? "m-notice-error" : ""}`}>
          <strong>{t(`transcript.end.${body.outcome}`)}</strong> {body.text}
        </p>
      );
    case "usage":
      return null;
  }
}

interface FoldedProps {
  readonly title: string;
  readonly summary: string;
  readonly className: string;
  readonly children: ReactNode;
}

function Folded({ title, summary, className, children }: FoldedProps) {
  const [open, setOpen] = useState(false);
  return (
    <div className={className}>
      <UnstyledButton className="m-tool-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
        <strong>{title}</strong>
        <span className="m-dim m-cut m-grow">{open ? "" : summary}</span>
      </UnstyledButton>
      {open ? children : null}
    </div>
  );
}

const firstLine = (text: string): string => text.trimStart().split("\n", 1)[0] ?? "";
