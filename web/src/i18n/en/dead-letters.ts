/** What was given up after its last try. */
export const deadLetters = {
  deadLetters: {
    ask: "Discard it?",
    askText: "It is listed no more and never tried again. The history keeps who did it.",
    discard: "Discard",
    done: { discard: "Discarded.", retry: "It is tried again. What has happened already is not repeated." },
    hide: "Hide",
    kind: { message: "Message", outbox: "To GitHub", webhook: "From GitHub" },
    none: "Everything was delivered. What cannot be written to GitHub, taken from it or told to an agent, however often it is tried, would be here, to be tried again or discarded. The same from a terminal:",
    retry: "Try again",
    show: "Show",
  },
} as const;
