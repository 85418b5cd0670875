import { useTranslation } from "react-i18next";
import { advice } from "./ja/advice.ts";

/** Says what helps in the viewer's language; a command, or a sentence that is not known, as the server gave it. */
export function useAdvice(): (text: string) => string {
  const { i18n } = useTranslation();
  return i18n.language === "ja" ? (text) => advice[text] ?? text : (text) => text;
}
