import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { useRef, type ComponentProps, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { IconCheck, IconCopy } from "../../ui/icons.ts";

/** A block of code with its language and a button that copies it. */
export function CodeBlock({ children, ...props }: ComponentProps<"pre">) {
  const { t } = useTranslation();
  const block = useRef<HTMLPreElement>(null);
  const language = languageOf(children);
  return (
    <div className="m-chat-code">
      <div className="m-chat-code-head">
        <span className="m-grow m-mono">{language}</span>
        <CopyText read={() => block.current?.textContent ?? ""} label={t("chat.copyCode")} />
      </div>
      <pre {...props} ref={block} tabIndex={0}>
        {children}
      </pre>
    </div>
  );
}

interface CopyTextProps {
  readonly read: () => string;
  readonly label: string;
}

interface CopyTextProps {
  readonly read: () => string;
  readonly label: string;
}

/** Copies a text that is read when it is wanted. */
export function CopyText({ read, label }: CopyTextProps) {
  const { t } = useTranslation();
  const { copied, copy } = useClipboard({ timeout: 1500 });
  const said = copied ? t("common.copied") : label;
  return (
    <Tooltip label={said}>
      <ActionIcon size="sm" aria-label={said} onClick={() => copy(read())}>
        {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
      </ActionIcon>
    </Tooltip>
  );
}

function languageOf(children: React.ReactNode): string {
  const code = children as ReactElement<{ readonly className?: string }> | undefined;
  return /language-([\w+#.-]+)/.exec(code?.props?.className ?? "")?.[1] ?? "";
}
