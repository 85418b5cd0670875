import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { IconMoon, IconSun } from "../../ui/icons.ts";

/** Changes between the light and the dark theme. */
export function ThemeSwitch() {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const label = scheme === "dark" ? t("nav.toLight") : t("nav.toDark");
  return (
    <Tooltip label={label}>
      <ActionIcon onClick={() => setColorScheme(scheme === "dark" ? "light" : "dark")} aria-label={label}>
        {scheme === "dark" ? <IconSun size={18} stroke={1.6} /> : <IconMoon size={18} stroke={1.6} />}
      </ActionIcon>
    </Tooltip>
  );
}
