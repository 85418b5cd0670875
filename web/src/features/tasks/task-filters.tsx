import { Button, MultiSelect, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { repositoriesQuery } from "../../api/queries.ts";
import { IconSearch, IconX } from "../../ui/icons.ts";
import { TASK_STATE_ORDER } from "../../ui/state-look.ts";
import { isTyping } from "../shell/use-global-keys.ts";
import {
  classesOf,
  isFiltered,
  statesOf,
  TASK_CLASSES,
  TASK_ORDERS,
  withFilter,
  type TaskSearch,
} from "./task-search.ts";

const TYPING_MS = 200;

export interface TaskFiltersProps {
  readonly search: TaskSearch;
}

/** Filters of the task list; each change goes to the URL. */
export function TaskFilters({ search }: TaskFiltersProps) {
  const { t } = useTranslation();
  const navigate = useNavigate({ from: "/tasks" });
  const repositories = useQuery(repositoriesQuery()).data?.items ?? [];
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(search.q ?? "");
  const set = <K extends keyof TaskSearch>(name: K, value: TaskSearch[K] | readonly string[] | null) =>
    void navigate({ search: (old) => withFilter(old, name, value), replace: true });

  useEffect(() => setText(search.q ?? ""), [search.q]);
  useEffect(() => {
    if (text === (search.q ?? "")) return;
    const timer = setTimeout(() => set("q", text), TYPING_MS);
    return () => clearTimeout(timer);
    // Only typing starts the delay; a URL change resets the text above.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [text]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "/" || isTyping(event)) return;
      event.preventDefault();
      field.current?.focus();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return (
    <div className="m-filters" role="search" aria-label={t("tasks.filter.label")}>
      <TextInput
        ref={field}
        className="m-filter-text"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        placeholder={t("tasks.filter.text")}
        aria-label={t("tasks.filter.text")}
        leftSection={<IconSearch size={14} aria-hidden="true" />}
      />
      <MultiSelect
        className="m-filter-wide"
        placeholder={search.state === undefined ? t("tasks.filter.state") : ""}
        aria-label={t("tasks.filter.state")}
        data={TASK_STATE_ORDER.map((state) => ({ value: state, label: t(`state.task.${state}`) }))}
        value={[...statesOf(search)]}
        onChange={(states) => set("state", states)}
        clearable
        clearButtonProps={{ "aria-label": t("tasks.filter.clearOne") }}
      />
      <MultiSelect
        placeholder={search.class === undefined ? t("tasks.filter.class") : ""}
        aria-label={t("tasks.filter.class")}
        data={[...TASK_CLASSES]}
        value={[...classesOf(search)]}
        onChange={(classes) => set("class", classes)}
      />
      {repositories.length < 2 ? null : (
        <Select
          placeholder={t("tasks.filter.repository")}
          aria-label={t("tasks.filter.repository")}
          data={repositories.map(({ id, name }) => ({ value: id, label: name }))}
          value={search.repository ?? null}
          onChange={(id) => set("repository", id)}
          clearable
          clearButtonProps={{ "aria-label": t("tasks.filter.clearOne") }}
        />
      )}
      <TextInput
        className="m-filter-label"
        key={search.label ?? ""}
        defaultValue={search.label ?? ""}
        placeholder={t("tasks.filter.labelName")}
        aria-label={t("tasks.filter.labelName")}
        onBlur={(event) => set("label", event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") set("label", event.currentTarget.value);
        }}
      />
      <Select
        aria-label={t("tasks.order.label")}
        data={TASK_ORDERS.map((order) => ({ value: order, label: t(`tasks.order.${order}`) }))}
        value={search.order ?? "newest"}
        onChange={(order) => set("order", TASK_ORDERS.find((one) => one === order) ?? null)}
        allowDeselect={false}
      />
      {isFiltered(search) ? (
        <Button
          variant="subtle"
          color="gray"
          leftSection={<IconX size={14} />}
          onClick={() => void navigate({ search: search.view === undefined ? {} : { view: search.view } })}
        >
          {t("tasks.filter.clear")}
        </Button>
      ) : null}
    </div>
  );
}
