import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { callPromptQuery } from "../../api/gateway-queries.ts";
import { QueryError } from "../../ui/query-error.tsx";
import { useMay } from "../shell/use-may.ts";

export interface CallPromptProps {
  readonly callId: string;
}

/** What was said in a call, asked for only on demand: who reads it is logged. Nothing for who may not. */
export function CallPrompt({ callId }: CallPromptProps) {
  const { t } = useTranslation();
  const may = useMay("prompts");
  const [isWanted, want] = useState(false);
  const query = useQuery({ ...callPromptQuery(callId), enabled: isWanted });
  if (!may) return null;
  return (
    <section>
      <h3 className="m-calls-group">{t("calls.group.prompt")}</h3>
      {query.error !== null ? (
        <QueryError error={query.error} />
      ) : query.data === undefined ? (
        <div className="m-row">
          <Button variant="default" loading={query.isFetching} onClick={() => want(true)}>
            {t("calls.prompt.show")}
          </Button>
          <span className="m-dim m-small">{t("calls.prompt.logged")}</span>
        </div>
      ) : (
        <>
          {query.data.isCut ? <p className="m-dim m-small">{t("calls.prompt.cut")}</p> : null}
          <Said title={t("calls.prompt.request")} text={query.data.request} />
          {query.data.answer === null ? (
            <p className="m-dim m-small">{t("calls.prompt.noAnswer")}</p>
          ) : (
            <Said title={t("calls.prompt.answer")} text={query.data.answer} />
          )}
        </>
      )}
    </section>
  );
}

interface SaidProps {
  readonly title: string;
  readonly text: string;
}

function Said({ title, text }: SaidProps) {
  return (
    <figure>
      <figcaption className="m-dim m-small">{title}</figcaption>
      <pre className="m-calls-said" tabIndex={0}>
        {indented(text)}
      </pre>
    </figure>
  );
}

/** JSON with a line a field; as it is where its middle is left out. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
