import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../../api/client.ts";
import { CommandLine } from "../../ui/command-line.tsx";
import { usePageTitle } from "../../ui/use-page-title.ts";
import { useMay } from "../shell/use-may.ts";
import { useTell } from "../shell/use-tell.tsx";
import { modelsQuery, personasQuery, threadQuery } from "./chat-queries.ts";
import { ChoiceBar, type Choice } from "./choice-bar.tsx";
import { Composer, type Draft } from "./composer.tsx";

/** How a thread begins: who answers, with which model, and what is said first. */
export function StartPanel() {
  const { t } = useTranslation();
  usePageTitle(t("nav.chat"));
  const navigate = useNavigate();
  const client = useQueryClient();
  const tell = useTell();
  const may = useMay("operate");
  const personas = useQuery(personasQuery()).data;
  const models = useQuery(modelsQuery()).data;
  const [choice, setChoice] = useState<Choice>({
    persona: null,
    model: null,
    trimTokens: null,
    reflect: false,
  });
  const start = useMutation({
    mutationFn: async (draft: Draft) => {
      const thread = await call("createThread", { body: choice });
      const begun = await call("postChatMessage", {
        params: { id: thread.id },
        body: { content: draft.text, attachmentIds: draft.attachments.map(({ id }) => id) },
      });
      return begun;
    },
    onSuccess: async (begun) => {
      client.setQueryData(threadQuery(begun.thread.id).queryKey, begun);
      void client.invalidateQueries({ queryKey: ["chat-threads"] });
      await navigate({ to: "/chat/$threadId", params: { threadId: begun.thread.id } });
    },
    onError: tell.failed,
  });
  const chosen = personas?.items.find(({ name }) => name === choice.persona);
  return (
    <div className="m-chat-start">
      <div className="m-chat-start-body">
        <div className="m-chat-column">
          <h1>{t("chat.startTitle")}</h1>
          <p className="m-dim">{t("chat.startLead")}</p>
          <div className="m-chat-personas" role="radiogroup" aria-label={t("chat.persona")}>
            <PersonaCard
              name={t("chat.noPersona")}
              summary={t("chat.noPersonaSummary")}
              checked={choice.persona === null}
              onChoose={() => setChoice((old) => ({ ...old, persona: null }))}
            />
            {(personas?.items ?? []).map(({ name, summary }) => (
              <PersonaCard
                key={name}
                name={name}
                summary={summary}
                checked={choice.persona === name}
                onChoose={() => setChoice((old) => ({ ...old, persona: name }))}
              />
            ))}
          </div>
          {chosen === undefined || chosen.forbids === 0 ? null : (
            <p className="m-dim m-small">{t("chat.forbids", { count: chosen.forbids })}</p>
          )}
          {(personas?.problems ?? []).length === 0 ? null : (
            <div className="m-error" role="status">
              <strong>{t("chat.personaProblems")}</strong>
              {personas?.problems.map((problem) => (
                <code key={problem} className="m-chat-problem">
                  {problem}
                </code>
              ))}
            </div>
          )}
          {models === undefined || models.default !== null || models.items.length > 0 ? null : (
            <div className="m-chat-next">
              <p>{t("chat.noModel")}</p>
              <CommandLine command="miyabi providers key openai" />
            </div>
          )}
        </div>
      </div>
      <div className="m-chat-foot">
        <div className="m-chat-column">
          {may ? (
            <Composer
              draftKey="new"
              busy={start.isPending}
              autoFocus
              onSend={(draft) => start.mutateAsync(draft).then(() => {})}
              controls={
                <ChoiceBar value={choice} onChange={(part) => setChoice((old) => ({ ...old, ...part }))} />
              }
            />
          ) : (
            <p className="m-dim">{t("chat.mayNot")}</p>
          )}
        </div>
      </div>
    </div>
  );
}

interface PersonaCardProps {
  readonly name: string;
  readonly summary: string;
  readonly checked: boolean;
  readonly onChoose: () => void;
}

function PersonaCard({ name, summary, checked, onChoose }: PersonaCardProps) {
  return (
    <label className="m-chat-persona" data-checked={checked}>
      <input type="radio" name="persona" checked={checked} onChange={onChoose} />
      <strong>{name}</strong>
      <span className="m-dim m-small">{summary}</span>
    </label>
  );
}
