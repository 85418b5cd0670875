import { Button, Select, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { TrimControl } from "./trim-control.tsx";
import { modelsQuery, personasQuery } from "./chat-queries.ts";

/** What a thread is led with. Null: no persona; the persona's or the installation's model; not trimmed. */
export interface Choice {
  readonly persona: string | null;
  readonly model: string | null;
  /** Null: the whole thread is sent. */
  readonly trimTokens: number | null;
  /** Whether answers are drafted, criticised and written anew. */
  readonly reflect: boolean;
}

export interface ChoiceBarProps {
  readonly value: Choice;
  readonly onChange: (part: Partial<Choice>) => void;
  readonly disabled?: boolean;
}

const NONE = "";

/** Persona, model, trim and reflect, all visible, all changeable at any time. */
export function ChoiceBar({ value, onChange, disabled = false }: ChoiceBarProps) {
  const { t } = useTranslation();
  const personas = useQuery(personasQuery()).data?.items ?? [];
  const models = useQuery(modelsQuery()).data;
  const persona = personas.find(({ name }) => name === value.persona);
  const byPersona = persona?.chain === "reflect";
  const reflects = value.reflect || byPersona;
  const usual = persona?.model ?? models?.default ?? null;
  const known = new Set(models?.items ?? []);
  if (value.model !== null) known.add(value.model);
  return (
    <div className="m-chat-choice">
      <Select
        aria-label={t("chat.persona")}
        data={[
          { value: NONE, label: t("chat.noPersona") },
          ...withCurrent(
            personas.map(({ name }) => name),
            value.persona,
          ),
        ]}
        value={value.persona ?? NONE}
        onChange={(name) => onChange({ persona: name === NONE ? null : name })}
        allowDeselect={false}
        disabled={disabled}
        comboboxProps={{ width: 240, position: "bottom-start" }}
      />
      <Select
        aria-label={t("chat.model")}
        data={[
          {
            value: NONE,
            label: usual === null ? t("chat.usualModel") : t("chat.usualModelIs", { model: usual }),
          },
          ...[...known].map((model) => ({ value: model, label: model })),
        ]}
        value={value.model ?? NONE}
        onChange={(model) => onChange({ model: model === NONE ? null : model })}
        allowDeselect={false}
        searchable={known.size > 8}
        disabled={disabled}
        comboboxProps={{ width: 300, position: "bottom-start" }}
      />
      <TrimControl
        tokens={value.trimTokens}
        onChange={(trimTokens) => onChange({ trimTokens })}
        disabled={disabled}
      />
      <Tooltip label={byPersona ? t("chat.reflectByPersona") : t("chat.reflectWhat")}>
        <Button
          className="m-chat-trim"
          variant="default"
          aria-pressed={reflects}
          disabled={disabled || byPersona}
          onClick={() => onChange({ reflect: !value.reflect })}
        >
          {reflects ? t("chat.reflectOn") : t("chat.reflectOff")}
        </Button>
      </Tooltip>
    </div>
  );
}

/** A persona whose file is gone stays visible where it is chosen. */
function withCurrent(names: readonly string[], current: string | null) {
  const all = current === null || names.includes(current) ? names : [...names, current];
  return all.map((name) => ({ value: name, label: name }));
}
