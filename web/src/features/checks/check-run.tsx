import { UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { RunView } from "../../../../src/contract/index.ts";
import { Elapsed } from "../../ui/elapsed.tsx";
import { shortCommit } from "../../ui/format.ts";
import { IconChevronDown, IconChevronRight } from "../../ui/icons.ts";
import { ReasonText } from "../../ui/reason-text.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { StepName } from "../task/step-name.tsx";
import { CheckCommands } from "./check-commands.tsx";

export interface CheckRunProps {
  readonly run: RunView;
  readonly initiallyOpen: boolean;
}

/** One run of commands; its output is loaded when it is opened. */
export function CheckRun({ run, initiallyOpen }: CheckRunProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(initiallyOpen);
  return (
    <>
      <UnstyledButton className="m-check-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
        <StateBadge of="run" state={run.state} />
        <strong>
          <StepName name={run.step} />
        </strong>
        <span className="m-dim m-mono">{run.id}</span>
        <span className="m-dim m-small">
          {t("timeline.attempt", { attempt: run.attempt, round: run.round })}
        </span>
        {run.cached ? <span className="m-label">{t("checks.cached")}</span> : null}
        <span className="m-grow" />
        {run.commit === null ? null : <code className="m-dim">{shortCommit(run.commit)}</code>}
        <span className="m-num m-dim">
          {run.startedAt === null ? t("common.none") : <Elapsed from={run.startedAt} to={run.finishedAt} />}
        </span>
      </UnstyledButton>
      {run.error === null ? null : (
        <p className="m-check-error">
          <ReasonText reason={run.error} withFix />
        </p>
      )}
      {open ? <CheckCommands runId={run.id} /> : null}
    </>
  );
}
