import "@mantine/spotlight/styles.css";
import { useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { createSpotlight, Spotlight } from "@mantine/spotlight";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { useLive, useLiveState } from "../../api/live-provider.tsx";
import { agentsQuery, taskSearchQuery } from "../../api/queries.ts";
import { setLanguage } from "../../i18n/index.ts";
import { AgentMark } from "../../ui/agent-mark.tsx";
import { IconReceipt, IconSearch } from "../../ui/icons.ts";
import { Sign } from "../../ui/sign.tsx";
import { LOOKS } from "../../ui/state-look.ts";
import { GATEWAY_PAGES } from "../gateway/gateway-pages.ts";
import { PAGES } from "./pages.ts";

const [store, spotlight] = createSpotlight();

/** Enter without a choice means the first row. An Enter that ends a composition means the composition. */
function openFirst(event: KeyboardEvent<HTMLInputElement>): void {
  if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
  const list = document.getElementById(store.getState().listId);
  // The store may still name a choice of a list that another query has replaced.
  if (list?.querySelector("[data-selected]") === null)
    list.querySelector<HTMLElement>("[data-action]")?.click();
}

export interface PaletteProps {
  readonly onClose: () => void;
  readonly onShortcuts: () => void;
}

/** Search and commands in one field: pages, tasks, agents, actions. */
export function Palette({ onClose, onShortcuts }: PaletteProps) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const { connection } = useLive();
  const { phase } = useLiveState();
  const [query, setQuery] = useState("");
  const [debounced] = useDebouncedValue(query.trim(), 120);
  const tasks = useQuery(taskSearchQuery(debounced)).data?.items ?? [];
  const agents = useQuery(agentsQuery()).data?.items ?? [];

  useEffect(() => spotlight.open(), []);

  const wanted = query.trim().toLowerCase();
  const fits = (text: string) => text.toLowerCase().includes(wanted);
  const run = (action: () => unknown) => () => {
    spotlight.close();
    void action();
  };
  const other = i18n.language === "ja" ? "en" : "ja";
  const commands = [
    { id: "create", label: t("tasks.new"), act: () => navigate({ to: "/tasks", hash: "new" }) },
    {
      id: "theme",
      label: scheme === "dark" ? t("nav.toLight") : t("nav.toDark"),
      act: () => setColorScheme(scheme === "dark" ? "light" : "dark"),
    },
    { id: "language", label: t("nav.language"), act: () => setLanguage(other) },
    {
      id: "pause",
      label: phase === "paused" ? t("live.resume") : t("live.pause"),
      act: () => (phase === "paused" ? connection.resume() : connection.pause()),
    },
    { id: "shortcuts", label: t("shortcuts.title"), act: onShortcuts },
  ].filter(({ label }) => fits(label));
  const pages = [
    ...PAGES.map(({ id, to, icon }) => ({ id, to, icon, label: t(`nav.${id}`) })),
    ...GATEWAY_PAGES.map(({ id, to }) => ({ id, to, icon: IconReceipt, label: t(`gateway.title.${id}`) })),
  ].filter(({ label }) => fits(label));
  const team = agents.filter((agent) => fits(`${agent.name} ${agent.nameJa} ${agent.slot}`)).slice(0, 6);

  return (
    <Spotlight.Root
      store={store}
      onSpotlightClose={onClose}
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      scrollable
      maxHeight={420}
      closeOnActionTrigger={false}
    >
      <Spotlight.Search
        placeholder={t("palette.placeholder")}
        aria-label={t("palette.placeholder")}
        leftSection={<IconSearch size={16} aria-hidden="true" />}
        onKeyDown={openFirst}
      />
      <Spotlight.ActionsList>
        {tasks.length === 0 ? null : (
          <Spotlight.ActionsGroup label={t("nav.tasks")}>
            {tasks.map((task) => (
              <Spotlight.Action
                key={task.id}
                label={task.title}
                description={task.id}
                leftSection={<Sign look={LOOKS.task[task.state]} />}
                onClick={run(() => navigate({ to: "/tasks/$taskId", params: { taskId: task.id } }))}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {pages.length === 0 ? null : (
          <Spotlight.ActionsGroup label={t("palette.pages")}>
            {pages.map(({ id, to, icon: Icon, label }) => (
              <Spotlight.Action
                key={id}
                label={label}
                leftSection={<Icon size={16} stroke={1.6} aria-hidden="true" />}
                onClick={run(() => navigate({ to }))}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {team.length === 0 ? null : (
          <Spotlight.ActionsGroup label={t("nav.agents")}>
            {team.map((agent) => (
              <Spotlight.Action
                key={agent.slot}
                label={i18n.language === "ja" ? agent.nameJa : agent.name}
                description={agent.slot}
                leftSection={<AgentMark {...agent} size={16} />}
                onClick={run(() => navigate({ to: "/agents", hash: agent.slot }))}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {commands.length === 0 ? null : (
          <Spotlight.ActionsGroup label={t("palette.commands")}>
            {commands.map(({ id, label, act }) => (
              <Spotlight.Action key={id} label={label} onClick={run(act)} />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {tasks.length + pages.length + team.length + commands.length === 0 ? (
          <Spotlight.Empty>{t("palette.nothing")}</Spotlight.Empty>
        ) : null}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
