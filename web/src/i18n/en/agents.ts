/** The agents page. */
export const agents = {
  agents: {
    busyShare: "Busy {{percent}} % of the last 24 hours",
    confirm: {
      drain: {
        title: "Give {{name}} no new work?",
        what: "{{name}} finishes what is at hand and takes nothing new until you let it.",
      },
      restart: {
        title: "Restart {{name}}?",
        what: "The agent host ends and a new one starts within seconds. Work at hand resumes where it was.",
      },
      takeover: {
        title: "Take over from {{name}}?",
        what: "The agent pauses and its own terminal program opens in its pane, in the same session. {{id}} waits for you until you hand it back.",
      },
    },
    done: {
      drain: "{{name}} takes no new work.",
      restart: "{{name}} is restarting.",
      undrain: "{{name}} takes work again.",
    },
    drain: "No new work",
    enlarge: "Full size",
    enlargeOf: "Pane of {{name}} at full size",
    heartbeat: "Last heartbeat",
    lead_one: "{{busy}} of {{count}} agent at work",
    lead_other: "{{busy}} of {{count}} agents at work",
    loading: "Loading…",
    noHeartbeat: "No heartbeat yet",
    noScreen: "Nothing to show yet.",
    none: "No agent has started yet. This says what is missing:",
    now: {
      busy: "A run is about to be shown here.",
      down: "Its agent host is not running; it is started again by itself.",
      draining: "Takes no new work.",
      idle: "Nothing at hand.",
      parked: "Waits until its provider's usage limit resets.",
      starting: "Its agent host is starting.",
      "taken-over": "A person works in its terminal.",
    },
    paneOf: "Pane of {{name}}",
    restart: "Restart",
    tell: "Send",
    tellPlaceholder: "Say something to {{name}}",
    told: "On its way to {{name}}; it is read between two steps.",
    undrain: "Take work again",
  },
} as const;
