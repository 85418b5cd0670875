import { useCallback } from "react";
import { useTranslation } from "react-i18next";

/** Looks up a key that is put together from a value of the server; `otherwise` where the language has no such word. */
export function useWord(): (key: string, otherwise: string) => string {
  const { t, i18n } = useTranslation();
  return useCallback(
    (key, otherwise) => (i18n.exists(key) ? (t as (key: string) => string)(key) : otherwise),
    [t, i18n],
  );
}
