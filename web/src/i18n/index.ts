import i18next from "i18next";
import { initReactI18next } from "react-i18next";

export const LANGUAGES = ["en", "ja"] as const;
export type Language = (typeof LANGUAGES)[number];

const STORAGE_KEY = "miyabi.language";
/** The words of a language; a browser loads those that it shows. */
const WORDS = {
  en: async () => (await import("./en/index.ts")).en,
  ja: async () => (await import("./ja/index.ts")).ja,
} as const;

/** Starts i18next in the language that was chosen before, else the browser's. */
export async function startI18n(): Promise<void> {
  const language = initialLanguage();
  await i18next.use(initReactI18next).init({
    resources: { [language]: { translation: await WORDS[language]() } },
    lng: language,
    fallbackLng: false,
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = language;
}

/** Shows the console in a language from now on; where its words cannot be loaded the page stays as it is. */
export async function setLanguage(language: Language): Promise<void> {
  i18next.addResourceBundle(language, "translation", await WORDS[language]());
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem(STORAGE_KEY, language);
  } catch {
    // Storage can be forbidden; the choice then lasts as long as the page.
  }
}

function initialLanguage(): Language {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(STORAGE_KEY);
  } catch {
    // Storage can be forbidden.
  }
  if (stored === "en" || stored === "ja") return stored;
  return navigator.language.startsWith("ja") ? "ja" : "en";
}
