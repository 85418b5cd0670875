import { Button, Popover, Slider, Switch } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

/** As the contract has it; its schemas are not sent to the browser. */
const TRIM = { least: 1_024, most: 8_192, step: 256, usual: 4_096 } as const;

export interface TrimControlProps {
  /** Null: off. */
  readonly tokens: number | null;
  readonly onChange: (tokens: number | null) => void;
  readonly disabled: boolean;
}

/** Whether long threads are trimmed, and to how many tokens. */
export function TrimControl({ tokens, onChange, disabled }: TrimControlProps) {
  const { t, i18n } = useTranslation();
  const [dragged, setDragged] = useState<number | null>(null);
  const shown = dragged ?? tokens;
  const say = (count: number): string => count.toLocaleString(i18n.language);
  return (
    <Popover width={300} position="top-start" withinPortal trapFocus>
      <Popover.Target>
        <Button className="m-chat-trim" variant="default" disabled={disabled}>
          {tokens === null ? t("chat.trimOff") : t("chat.trimTo", { tokens: say(tokens) })}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className="m-stack">
        <Switch
          label={t("chat.trim")}
          description={t("chat.trimWhat")}
          checked={tokens !== null}
          onChange={(event) => onChange(event.currentTarget.checked ? TRIM.usual : null)}
        />
        {shown === null ? null : (
          <Slider
            thumbLabel={t("chat.trimBudget")}
            min={TRIM.least}
            max={TRIM.most}
            step={TRIM.step}
            value={shown}
            onChange={setDragged}
            onChangeEnd={(count) => {
              setDragged(null);
              onChange(count);
            }}
            label={say}
            marks={[TRIM.least, TRIM.usual, TRIM.most].map((value) => ({ value, label: say(value) }))}
            mt="xl"
            mb="md"
          />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
