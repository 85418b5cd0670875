import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useReason } from "../i18n/use-reason.ts";
import { ApiError } from "../api/api-error.ts";
import { FixText } from "./fix-text.tsx";

export interface QueryErrorProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
}

/** Why something could not be shown, what helps, and a way to try again. */
export function QueryError({ error, onRetry }: QueryErrorProps) {
  const { t } = useTranslation();
  const say = useReason();
  const problem = error instanceof ApiError ? error.problem : null;
  const offline = problem?.code === "network.unreachable";
  return (
    <div className="m-error" role="alert">
      <strong>{offline ? t("errors.unreachable") : t("errors.failed")}</strong>
      <p>
        {offline
          ? t("errors.unreachableDetail")
          : problem === null
            ? String(error)
            : say({ code: problem.code, message: problem.detail, params: {} })}
      </p>
      {problem?.fix == null ? null : (
        <p className="m-row">
          <span className="m-dim">{t("errors.fix")}</span> <FixText text={problem.fix} />
        </p>
      )}
      <div className="m-row">
        {onRetry === undefined ? null : (
          <Button variant="default" onClick={onRetry}>
            {t("common.tryAgain")}
          </Button>
        )}
        {problem === null ? null : <code className="m-dim">{problem.code}</code>}
      </div>
    </div>
  );
}
