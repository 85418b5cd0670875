/** What can be done with a task, what it does, and that it was done. */
export const actions = {
  actions: {
    approve: "Approve",
    cancel: "Cancel task",
    class: "Class",
    confirm: {
      cancel: {
        title: "Cancel {{id}}?",
        what: "Its agent stops. What was done stays on the branch {{branch}}, and Retry goes on where it stopped.",
      },
      reject: {
        title: "Reject {{id}}?",
        what: "It goes back to its agent with your note, or is cancelled where the workflow has no way back. The work stays on the branch {{branch}}.",
      },
      takeover: {
        title: "Take over {{id}}?",
        what: "The agent pauses and its own terminal program opens in its pane, in the same session, on the branch {{branch}}. The task waits for you until you hand it back. The same from a terminal:",
      },
    },
    done: {
      approve: "{{id}} is approved and goes on.",
      cancel: "{{id}} is cancelled.",
      class: "{{id}} is now {{to}}; its deadline moved with it.",
      handback: "{{id}} is back with its agent.",
      reject: "{{id}} is rejected.",
      retry: "{{id}} goes on where it stopped.",
      takeover: "{{id}} is yours. Open its terminal with: {{command}}",
    },
    explain: "Why?",
    handback: "Hand back",
    note: "What is to be changed (optional)",
    reject: "Reject",
    retry: "Retry",
    takeover: "Take over",
  },
} as const;
