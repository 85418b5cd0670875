/** What became of an issue at intake; kept with it and shown. */
export type IntakeOutcome =
  | { readonly outcome: "taken"; readonly by: string }
  /** Its label was set by somebody who may not start work. */
  | { readonly outcome: "untrusted"; readonly by: string }
  /** Its text was changed by somebody else after the label; a trusted person has to say that it may be used. */
  | { readonly outcome: "edited"; readonly by: string }
  /** It waits for issues that are not tasks yet; `cycle`: from itself over those back to itself. */
  | { readonly outcome: "waits"; readonly on: readonly string[]; readonly cycle?: readonly string[] }
  | { readonly outcome: "full"; readonly limit: number }
  | { readonly outcome: "refused"; readonly message: string };

/** Why an issue has no task, for people. Pure. */
export function describeIntake(outcome: IntakeOutcome | null, label: string): string {
  switch (outcome?.outcome) {
    case undefined:
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
      return `${outcome.limit} tasks of this repository are open, which is the limit; it starts by itself.`;
    case "refused":
      return `It could not be taken: ${outcome.message}`;
  }
}
