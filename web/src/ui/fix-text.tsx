import { useAdvice } from "../i18n/use-advice.ts";
import { CommandLine } from "./command-line.tsx";

const COMMAND = /^[^\n`]*[^\n`.。]$/;
const BACKTICKS = /`([^`]+)`/g;

export interface FixTextProps {
  /** A command, or a sentence that may hold commands in backticks. */
  readonly text: string;
}

/** What to do next; commands in it can be copied. */
export function FixText({ text: given }: FixTextProps) {
  const text = useAdvice()(given);
  if (looksLikeCommand(text)) return <CommandLine command={text} />;
  const parts = text.split(BACKTICKS);
  return (
    <span>
      {parts.map((part, index) =>
        // split() with one group puts what the group matched at the odd places.
        index % 2 === 1 ? <CommandLine key={index} command={part} /> : <span key={index}>{part}</span>,
      )}
    </span>
  );
}

/** Whether the whole text can be pasted: a known program's name first, no sentence punctuation at the end. */
export function looksLikeCommand(text: string): boolean {
  return (
    /^(?:miyabi|git|npm|npx|tmux|cd|sudo|apt|apt-get|brew|systemctl|docker)\s/.test(text) &&
    COMMAND.test(text)
  );
}
