import type { Handlers } from "../api/index.ts";
import type { DEAD_LETTER_ROUTES } from "../contract/index.ts";
import type { DeadLetters } from "./dead-letters.ts";

export type DeadLetterHandlers = Pick<Handlers, keyof typeof DEAD_LETTER_ROUTES>;

/** The API's handlers over what could not be delivered. */
export function createDeadLetterHandlers(letters: DeadLetters): DeadLetterHandlers {
  return {
    listDeadLetters: ({ query }) => letters.list(query),
    getDeadLetter: ({ params: { id } }) => letters.get(id),
    retryDeadLetter: ({ params: { id }, caller }) => letters.retry(id, caller.name),
    discardDeadLetter: ({ params: { id }, caller }) => letters.discard(id, caller.name),
  };
}
