/** Messages between agents, and questions to people. */
export const messages = {
  messages: {
    attempts_one: "{{count}} attempt to deliver it",
    attempts_other: "{{count}} attempts to deliver it",
    filter: { recipient: "Recipient", state: "State" },
    lead: "What agents ask you, and what they tell each other.",
    none: "No message fits this filter.",
    noneForTask: "Nothing was said about this task yet.",
    to: "to",
    view: {
      answered: "Answered",
      label: "Kind of messages",
      mail: "Between agents",
      open: "For you",
      undelivered: "Not delivered",
    },
  },
  questions: {
    answer: "Answer",
    answerTo: "Answer to {{asker}}",
    kind: { approval: "Approval", permission: "Permission", question: "Question" },
    noneAnswered: "Nothing was answered yet.",
    noneOpen: "No question is open. The same from a terminal:",
    option: {
      Allow: "Allow",
      "Always Allow": "Always allow",
      Deny: "Deny",
      Reject: "Reject",
      approve: "Approve",
      reject: "Reject",
    },
    placeholder: "Your answer",
    sent: "Your answer is on its way to {{asker}}.",
    workflow: "Workflow",
  },
} as const;
