import { ActionIcon, Tooltip, VisuallyHidden } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { setLanguage } from "../../i18n/index.ts";

/** Changes between English and Japanese; the button shows the language it changes to, in that language. */
export function LanguageSwitch() {
  const { t, i18n } = useTranslation();
  const other = i18n.language === "ja" ? "en" : "ja";
  return (
    <Tooltip label={t("nav.language")}>
      <ActionIcon onClick={() => void setLanguage(other)}>
        <span className="m-language" lang={other} aria-hidden="true">
          {t(`nav.short.${other}`)}
        </span>
        <VisuallyHidden lang={other}>{t("nav.language")}</VisuallyHidden>
      </ActionIcon>
    </Tooltip>
  );
}
