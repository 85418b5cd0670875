import { useState } from "react";
import { Diff, Hunk, type FileData } from "react-diff-view";
import { useTranslation } from "react-i18next";
import { UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "../../ui/icons.ts";

/** A file with more changed lines than this starts folded. */
const FOLD_LINES = 600;

export interface FileDiffProps {
  readonly file: FileData;
  readonly split: boolean;
  readonly index: number;
}

/** The diff of one file. */
export function FileDiff({ file, split, index }: FileDiffProps) {
  const { t } = useTranslation();
  const lines = file.hunks.reduce((sum, hunk) => sum + hunk.changes.length, 0);
  const [open, setOpen] = useState(lines <= FOLD_LINES);
  const name = file.type === "delete" ? file.oldPath : file.newPath;
  return (
    <section id={`file-${index}`} className="m-file" aria-label={name}>
      <UnstyledButton className="m-file-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
        <span className="m-mono m-cut m-grow">{name}</span>
        <span className="m-dim m-small">{t("changes.lines", { count: lines })}</span>
      </UnstyledButton>
      {open ? (
        <div className="m-file-diff" tabIndex={0} role="group" aria-label={name}>
          {file.hunks.length === 0 ? (
            <p className="m-changes-note">{t("changes.noText")}</p>
          ) : (
            <Diff viewType={split ? "split" : "unified"} diffType={file.type} hunks={file.hunks}>
              {(hunks) => hunks.map((hunk) => <Hunk key={hunk.content} hunk={hunk} />)}
            </Diff>
          )}
        </div>
      ) : null}
    </section>
  );
}
