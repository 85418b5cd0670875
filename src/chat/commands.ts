import { AppError } from "../base/index.ts";

/** What a message that begins with a slash asks for. */
export type Command =
  | { readonly name: "task"; readonly repository: string | null; readonly title: string | null }
  | { readonly name: "ask"; readonly agent: string; readonly text: string }
  /** Null: none from now on. */
  | { readonly name: "persona"; readonly persona: string | null };

const USAGE: Readonly<Record<Command["name"], string>> = {
  task: "/task [@REPOSITORY] [TITLE]",
  ask: "/ask AGENT TEXT",
  persona: "/persona NAME, or /persona none",
};

const SEGMENTER = new Intl.Segmenter("und", { granularity: "grapheme" });

/**
 * The command of a message; null for what is to be said as it is. Two slashes at the beginning say one.
 * @throws input.invalid for a command that does not exist or lacks something
 */
export function parseCommand(content: string): Command | null {
  const text = content.trimStart();
  if (!text.startsWith("/") || text.startsWith("//")) return null;
  const [, word = "", rest = ""] = /^\/(\S*)\s*([^]*)$/.exec(text) ?? [];
  const words = rest.trim();
  switch (word) {
    case "task": {
      const [, repository = null, title = ""] = /^(?:@(\S+)\s*)?([^]*)$/.exec(words) ?? [];
      return { name: "task", repository, title: title === "" ? null : firstLine(title, 300) };
    }
    case "ask": {
      const [, agent, said] = /^@?(\S+)\s+([^]+)$/.exec(words) ?? [];
      if (agent === undefined || said === undefined) throw wrong(`What is to be said to whom? ${USAGE.ask}`);
      return { name: "ask", agent, text: said };
    }
    case "persona":
      if (words === "") throw wrong(`Which persona? ${USAGE.persona}`);
      return { name: "persona", persona: words === "none" ? null : words };
    default:
      throw wrong(
        `There is no command "/${word.slice(0, 40)}"; there are ${Object.values(USAGE).join("; ")}. Two slashes begin an ordinary message.`,
      );
  }
}

/** What a message says when it is no command. */
export function plainText(content: string): string {
  return content.replace(/^(\s*)\/\//, "$1/");
}

/** The beginning of a text as a title, in characters as people count them. */
export function firstLine(text: string, most: number): string {
  const line = text.trim().split("\n")[0]?.trim() ?? "";
  const characters = Array.from(SEGMENTER.segment(line), ({ segment }) => segment);
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join("")}…`;
}

function wrong(message: string): AppError {
  return new AppError({ code: "input.invalid", message, details: { field: "content" } });
}
