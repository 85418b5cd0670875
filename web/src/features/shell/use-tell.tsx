import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useReason } from "../../i18n/use-reason.ts";
import { ApiError } from "../../api/api-error.ts";
import { FixText } from "../../ui/fix-text.tsx";

export interface Tell {
  /** Says that something was done, with a way back where there is one. */
  readonly done: (message: string, undo?: () => void) => void;
  /** Says why something failed and what helps. */
  readonly failed: (error: unknown) => void;
}

/** Short messages in the corner of the page. */
export function useTell(): Tell {
  const { t } = useTranslation();
  const say = useReason();
  return useMemo(() => {
    const closeButtonProps = { "aria-label": t("common.close") };
    return {
      done: (message, undo) => {
        const id = notifications.show({
          message:
            undo === undefined ? (
              message
            ) : (
              <span className="m-row">
                <span className="m-grow">{message}</span>
                <Button
                  variant="default"
                  onClick={() => {
                    notifications.hide(id);
                    undo();
                  }}
                >
                  {t("common.undo")}
                </Button>
              </span>
            ),
          withBorder: true,
          color: "ink",
          closeButtonProps,
        });
      },
      failed: (error) => {
        const problem = error instanceof ApiError ? error.problem : null;
        notifications.show({
          title: t("errors.failed"),
          message: (
            <>
              <p>
                {problem === null
                  ? String(error)
                  : say({ code: problem.code, message: problem.detail, params: {} })}
              </p>
              {problem?.fix == null ? null : <FixText text={problem.fix} />}
            </>
          ),
          color: "red",
          withBorder: true,
          autoClose: 15_000,
          closeButtonProps,
        });
      },
    };
  }, [t, say]);
}
