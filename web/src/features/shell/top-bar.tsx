import { ActionIcon, Kbd, Tooltip, UnstyledButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { IconHelp, IconSearch } from "../../ui/icons.ts";
import { Breadcrumb } from "./breadcrumb.tsx";
import { LanguageSwitch } from "./language-switch.tsx";
import { LiveIndicator } from "./live-indicator.tsx";
import { PersonMenu } from "./person-menu.tsx";
import { ThemeSwitch } from "./theme-switch.tsx";

export interface TopBarProps {
  readonly onSearch: () => void;
  readonly onShortcuts: () => void;
}

const MODIFIER = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";

/** Where am I, search, live state, theme, language, person. */
export function TopBar({ onSearch, onShortcuts }: TopBarProps) {
  const { t } = useTranslation();
  return (
    <header className="m-top">
      <Breadcrumb />
      <span className="m-grow" />
      <UnstyledButton className="m-search" onClick={onSearch}>
        <IconSearch size={14} aria-hidden="true" />
        <span className="m-search-word">{t("palette.open")}</span>
        <Kbd size="xs" className="m-search-word" aria-hidden="true">
          {MODIFIER} K
        </Kbd>
      </UnstyledButton>
      <LiveIndicator />
      <span className="m-wide-only">
        <Tooltip label={t("shortcuts.title")}>
          <ActionIcon onClick={onShortcuts} aria-label={t("shortcuts.title")}>
            <IconHelp size={18} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </span>
      <LanguageSwitch />
      <ThemeSwitch />
      <PersonMenu />
    </header>
  );
}
