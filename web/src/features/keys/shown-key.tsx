import { Button, Group, Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { CommandLine } from "../../ui/command-line.tsx";

export interface ShownKeyProps {
  readonly value: string;
  readonly onDone: () => void;
}

/** A key that was just made: it is kept nowhere, so this is its only showing. */
export function ShownKey({ value, onDone }: ShownKeyProps) {
  const { t } = useTranslation();
  const { origin } = window.location;
  return (
    <Stack gap="sm">
      <p>
        <strong>{t("keys.shownOnce")}</strong>
      </p>
      <CommandLine command={value} />
      <p className="m-dim">{t("keys.howToUse")}</p>
      <CommandLine command={`export OPENAI_BASE_URL=${origin}/v1 OPENAI_API_KEY=${value}`} />
      <CommandLine command={`export ANTHROPIC_BASE_URL=${origin} ANTHROPIC_API_KEY=${value}`} />
      <Group justify="flex-end">
        <Button onClick={onDone} data-autofocus>
          {t("keys.kept")}
        </Button>
      </Group>
    </Stack>
  );
}
