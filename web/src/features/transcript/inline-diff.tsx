import { useTranslation } from "react-i18next";
import { changedLines, type DiffText } from "./changed-lines.ts";

const MAX_LINES = 60;
const MARKS = { same: " ", removed: "−", added: "+" } as const;

export interface InlineDiffProps {
  readonly diff: DiffText & { readonly path: string };
}

/** What one edit changed, with a little of what stands around it. */
export function InlineDiff({ diff }: InlineDiffProps) {
  const { t } = useTranslation();
  const lines = changedLines(diff);
  const hidden = lines.length - MAX_LINES;
  return (
    <figure className="m-inline-diff">
      <figcaption className="m-mono m-small m-cut">{diff.path}</figcaption>
      <pre tabIndex={0} aria-label={diff.path}>
        {lines.slice(0, MAX_LINES).map((line, index) => (
          <span key={index} className={`m-diff-${line.kind}`}>
            <span className="m-diff-mark" aria-hidden="true">
              {MARKS[line.kind]}
            </span>
            {line.text}
            {"\n"}
          </span>
        ))}
      </pre>
      {hidden > 0 ? <p className="m-dim m-small">{t("transcript.moreLines", { count: hidden })}</p> : null}
    </figure>
  );
}
