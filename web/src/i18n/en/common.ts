/** Words that stand on many pages, and what is said when something does not work. */
export const common = {
  common: {
    cancel: "Cancel",
    class: {
      P0: "P0: urgent, 24 hours by default",
      P1: "P1: soon, 3 days by default",
      P2: "P2: in its turn, 7 days by default",
    },
    close: "Close",
    comma: ", ",
    copied: "Copied",
    copy: "Copy",
    copyCommand: "Copy the command {{command}}",
    cost: "Cost",
    costUnknown: "not recorded",
    keep: "Leave as it is",
    left: "{{duration}} left",
    loading: "Loading…",
    more: "Show more",
    none: "–",
    overdue: "{{duration}} overdue",
    save: "Save",
    tryAgain: "Try again",
    undo: "Undo",
  },
  errors: {
    failed: "That did not work",
    fix: "What helps:",
    mayNot: "You may look at this, but not answer it.",
    noPage: "No such page",
    noPageDetail: "Nothing is at this address. The link may be old or mistyped.",
    toOverview: "To the overview",
    unreachable: "Miyabi does not answer",
    unreachableDetail:
      "The control plane is down or cannot be reached from here. Agents keep working meanwhile.",
  },
} as const;
