/** What became of an issue at intake; kept with it and shown. */
export type IntakeOutcome =
  | { readonly outcome: "taken"; readonly by: string }
  /** Its label was set by somebody who may not start work. */
  | { readonly outcome: "untrusted"; readonly by: string }
  /** Its text was changed by somebody else after the label; a trusted person has to say that it may be used. */
  | { readonly outcome: "edited"; readonly by: string }
  /** It waits for issues that are not tasks yet; `cycle`: from itself over those back to itself. */
  | { readonly outcome: "waits"; readonly on: readonly string[]; readonly cycle?: readonly string[] }
  /** There is no room; `class` and number decide who comes first. `full`: too many open tasks, `later`: too many starts a minute. */
  | { readonly outcome: "full" | "later"; readonly limit: number; readonly class: string }
  /** It is closed or lost its label before it could start. */
  | { readonly outcome: "unwanted" }
  /** A model chose these labels; `set`: they were set on the issue, else they are suggestions. */
  | {
      readonly outcome: "classified";
      readonly model: string;
      readonly labels: readonly string[];
      readonly set: boolean;
    }
  /** `commit`: of the branch whose files said so; absent: it is not theirs. */
  | { readonly outcome: "refused"; readonly message: string; readonly commit?: string };

const ORDER = "Of the issues that wait, the most urgent class comes first, then the lowest number.";

/** Why an issue has no task, for people. Pure. */
export function describeIntake(outcome: IntakeOutcome | null, label: string): string {
  switch (outcome?.outcome) {
    case undefined:
    case "unwanted":
      return `It starts when somebody with write access sets the label \`${label}\`.`;
    case "taken":
      return "It was taken.";
    case "untrusted":
      return `Its label was set by ${outcome.by}, who has no write access. Somebody with write access sets it again.`;
    case "edited":
      return `Its text was changed by ${outcome.by} after the label was set. \`/miyabi use\` takes it as it is now.`;
    case "waits":
      return outcome.cycle == null
        ? `It waits for ${outcome.on.join(", ")}: to be taken, or closed.`
        : `It waits for itself: ${outcome.cycle.join(" → ")}. Remove one of these dependencies.`;
    case "full":
      return `${outcome.limit} tasks of this repository are open, which is the limit; it starts by itself. ${ORDER}`;
    case "later":
      return `${outcome.limit} issues start within a minute at most; it starts by itself. ${ORDER}`;
    case "classified":
      return describeClassified(outcome, label);
    case "refused":
      return `It could not be taken: ${outcome.message}`;
  }
}

function describeClassified(
  { model, labels, set }: Extract<IntakeOutcome, { outcome: "classified" }>,
  label: string,
): string {
  const starts = `It starts when somebody with write access sets the label \`${label}\`.`;
  if (labels.length === 0) return `The model ${model} found no label that fits. ${starts}`;
  const listed = labels.map((one) => `\`${one}\``).join(", ");
  if (!set)
    return `The model ${model} suggests ${listed}. Nothing was set, because not everybody who wrote this has write access. ${starts}`;
  const isStarted = labels.some((one) => one.toLowerCase() === label.toLowerCase());
  return `The model ${model} chose ${listed}.${isStarted ? "" : ` ${starts}`}`;
}
