import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { agentsQuery } from "../../api/queries.ts";
import { personasQuery } from "./chat-queries.ts";

const COMMANDS = ["task", "ask", "persona"] as const;

/** What a slash command in the field can become, best first. */
export function useSlashChoices(text: string): readonly { readonly text: string; readonly what: string }[] {
  const { t, i18n } = useTranslation();
  const wants = text.startsWith("/") && !text.startsWith("//") && !text.includes("\n");
  const agents = useQuery({ ...agentsQuery(), enabled: wants }).data?.items ?? [];
  const personas = useQuery({ ...personasQuery(), enabled: wants }).data?.items ?? [];
  if (!wants) return [];
  const [word, rest] = split(text);
  if (rest === null)
    return COMMANDS.filter((command) => command.startsWith(word)).map((command) => ({
      text: `/${command} `,
      what: t(`chat.command.${command}`),
    }));
  const wanted = rest.toLowerCase();
  if (word === "ask" && !rest.includes(" "))
    return agents
      .filter(({ slot }) => slot.startsWith(wanted))
      .slice(0, 6)
      .map(({ slot, name, nameJa }) => ({
        text: `/ask ${slot} `,
        what: i18n.language === "ja" ? nameJa : name,
      }));
  if (word === "persona")
    return personas
      .filter(({ name }) => name.toLowerCase().startsWith(wanted) && name !== rest)
      .map(({ name, summary }) => ({ text: `/persona ${name}`, what: summary }));
  return [];
}

/** The command's word, and what follows its space; null: no space yet. */
function split(text: string): readonly [string, string | null] {
  const space = text.indexOf(" ");
  return space < 0 ? [text.slice(1), null] : [text.slice(1, space), text.slice(space + 1).trimStart()];
}

export interface SlashMenuProps {
  readonly choices: ReturnType<typeof useSlashChoices>;
  readonly onChoose: (text: string) => void;
}

/** Choices above the field; Tab takes the first. */
export function SlashMenu({ choices, onChoose }: SlashMenuProps) {
  const { t } = useTranslation();
  if (choices.length === 0) return null;
  return (
    <ul className="m-chat-slash" aria-label={t("chat.commands")}>
      {choices.map(({ text, what }) => (
        <li key={text}>
          <button type="button" onClick={() => onChoose(text)}>
            <code>{text.trim()}</code>
            <span className="m-dim m-small">{what}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
