import { ActionIcon, Button, Popover, TextInput, Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { IconStar, IconTrash } from "../../ui/icons.ts";
import {
  BUILT_IN_VIEWS,
  isSameView,
  loadSavedViews,
  storeSavedViews,
  type SavedView,
} from "./saved-views.ts";
import type { TaskSearch } from "./task-search.ts";

export interface TaskViewsProps {
  readonly search: TaskSearch;
}

/** Built-in and saved filters as links; the present filter can be saved under a name. */
export function TaskViews({ search }: TaskViewsProps) {
  const { t } = useTranslation();
  const [saved, setSaved] = useState<readonly SavedView[]>(loadSavedViews);
  const [name, setName] = useState("");
  const [opened, setOpened] = useState(false);
  const keep = (views: readonly SavedView[]) => {
    setSaved(views);
    storeSavedViews(views);
  };
  const known = [...BUILT_IN_VIEWS, ...saved].some((view) => isSameView(view.search, search));
  const withView = (target: TaskSearch): TaskSearch =>
    search.view === undefined ? target : { ...target, view: search.view };
  const current = (target: TaskSearch) => (isSameView(target, search) ? ("page" as const) : undefined);

  return (
    <nav className="m-views" aria-label={t("tasks.views.label")}>
      {BUILT_IN_VIEWS.map((view) => (
        <Link
          key={view.id}
          to="/tasks"
          search={withView(view.search)}
          aria-current={current(view.search)}
          activeProps={{}}
        >
          {t(`tasks.views.${view.id}`)}
        </Link>
      ))}
      {saved.map((view) => (
        <span key={view.name} className="m-row" style={{ gap: 0 }}>
          <Link
            to="/tasks"
            search={withView(view.search)}
            aria-current={current(view.search)}
            activeProps={{}}
          >
            {view.name}
          </Link>
          {current(view.search) === undefined ? null : (
            <ActionIcon
              size="sm"
              aria-label={t("tasks.views.remove", { name: view.name })}
              onClick={() => keep(saved.filter((other) => other !== view))}
            >
              <IconTrash size={14} />
            </ActionIcon>
          )}
        </span>
      ))}
      {known ? null : (
        <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus>
          <Popover.Target>
            <Tooltip label={t("tasks.views.save")}>
              <ActionIcon size="sm" onClick={() => setOpened(true)} aria-label={t("tasks.views.save")}>
                <IconStar size={14} />
              </ActionIcon>
            </Tooltip>
          </Popover.Target>
          <Popover.Dropdown>
            <form
              className="m-row"
              onSubmit={(event) => {
                event.preventDefault();
                if (name.trim() === "") return;
                keep([...saved.filter((view) => view.name !== name.trim()), { name: name.trim(), search }]);
                setName("");
                setOpened(false);
              }}
            >
              <TextInput
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                placeholder={t("tasks.views.name")}
                aria-label={t("tasks.views.name")}
                maxLength={40}
              />
              <Button type="submit">{t("common.save")}</Button>
            </form>
          </Popover.Dropdown>
        </Popover>
      )}
    </nav>
  );
}
