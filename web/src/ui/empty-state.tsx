import { CommandLine } from "./command-line.tsx";

export interface EmptyStateProps {
  readonly text: string;
  /** The next command to type. */
  readonly command?: string;
}

/** What a list says when nothing is in it, and how something gets there. */
export function EmptyState({ text, command }: EmptyStateProps) {
  return (
    <div className="m-empty">
      <p>{text}</p>
      {command === undefined ? null : <CommandLine command={command} />}
    </div>
  );
}
