import { Button, Select, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { ModelCallSummary } from "../../../../src/contract/index.ts";
import { IconX } from "../../ui/icons.ts";
import { isFiltered, OUTCOMES, parseCallSearch, type CallSearch } from "./call-search.ts";

export interface CallFiltersProps {
  readonly search: CallSearch;
  readonly choices: Pick<ModelCallSummary, "models" | "providers"> | undefined;
}

/** Filters of the model calls; each change goes to the URL. */
export function CallFilters({ search, choices }: CallFiltersProps) {
  const { t } = useTranslation();
  const navigate = useNavigate({ from: "/gateway/calls" });
  const set = (part: Readonly<Record<string, unknown>>) =>
    void navigate({ search: (old) => parseCallSearch({ ...old, ...part }), replace: true });
  const clear = { clearable: true, clearButtonProps: { "aria-label": t("tasks.filter.clearOne") } } as const;
  const pick = (name: "provider" | "model", known: readonly string[] = []) => {
    const chosen = search[name];
    return (
      <Select
        {...clear}
        searchable
        className="m-filter-wide"
        aria-label={t(`calls.filter.${name}`)}
        placeholder={t(`calls.filter.${name}`)}
        data={chosen === undefined || known.includes(chosen) ? [...known] : [chosen, ...known]}
        value={chosen ?? null}
        onChange={(value) => set({ [name]: value ?? undefined })}
      />
    );
  };
  const type = (name: "task" | "key") => (
    <TextInput
      key={`${name} ${search[name] ?? ""}`}
      className="m-filter-label"
      defaultValue={search[name] ?? ""}
      placeholder={t(`calls.filter.${name}`)}
      aria-label={t(`calls.filter.${name}`)}
      onBlur={(event) => set({ [name]: event.currentTarget.value })}
      onKeyDown={(event) => {
        if (event.key === "Enter") set({ [name]: event.currentTarget.value });
      }}
    />
  );
  return (
    <div className="m-filters" role="search" aria-label={t("calls.filter.label")}>
      <Select
        {...clear}
        aria-label={t("calls.filter.outcome")}
        placeholder={t("calls.filter.outcome")}
        data={OUTCOMES.map((one) => ({ value: one, label: t(`calls.outcome.${one}`) }))}
        value={search.outcome ?? null}
        onChange={(value) => set({ outcome: value ?? undefined })}
      />
      {pick("provider", choices?.providers)}
      {pick("model", choices?.models)}
      {type("task")}
      {type("key")}
      {isFiltered(search) ? (
        <Button
          variant="subtle"
          color="gray"
          leftSection={<IconX size={14} />}
          onClick={() => void navigate({ search: search.range === undefined ? {} : { range: search.range } })}
        >
          {t("tasks.filter.clear")}
        </Button>
      ) : null}
    </div>
  );
}
