import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Reason } from "../../../src/contract/index.ts";

/** Says a reason in the viewer's language: by its code where the language has it, else its own sentence. */
export function useReason(): (reason: Pick<Reason, "code" | "message" | "params">) => string {
  const { t, i18n } = useTranslation();
  return useCallback(
    (reason) => {
      const key = `reason.${reason.code}`;
      if (!i18n.exists(key)) return reason.message;
      const separator = i18n.language === "ja" ? "、" : ", ";
      const params = Object.fromEntries(
        Object.entries(reason.params).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join(separator) : value,
        ]),
      );
      const sentence = (t as (key: string, params: object) => string)(key, params);
      // A sentence whose placeholder found no parameter would show braces; the server's own sentence is complete.
      return sentence.includes("{{") ? reason.message : sentence;
    },
    [t, i18n, i18n.language],
  );
}
