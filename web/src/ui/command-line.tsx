import "./command-line.css";
import { ActionIcon, CopyButton, Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { IconCheck, IconCopy } from "./icons.ts";
import { useRunnable } from "./use-runnable.ts";

export interface CommandLineProps {
  readonly command: string;
}

/** A command to type next, with a button that copies it. */
export function CommandLine({ command }: CommandLineProps) {
  const { t } = useTranslation();
  const runnable = useRunnable()(command);
  return (
    <span className="m-command">
      <code>{command}</code>
      <CopyButton value={runnable} timeout={1500}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? t("common.copied") : runnable === command ? t("common.copy") : runnable}>
            <ActionIcon size="sm" onClick={copy} aria-label={t("common.copyCommand", { command })}>
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </span>
  );
}
