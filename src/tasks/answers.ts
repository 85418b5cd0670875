/** What an agent says of one thread of a review: each is a line of its notes, `Thread 3: done: …`. */
export interface ThreadAnswer {
  readonly thread: number;
  readonly done: boolean;
  readonly text: string;
}

const LINE = /^[ \t]*(?:[-*][ \t]+)?thread (\d{1,6})[ \t]*:[ \t]*(done|not done)\b[ \t:.,–—-]*(.*)$/gim;

/** The lines that `answersIn` finds again. Pure. */
export function withAnswers(notes: string, answers: readonly ThreadAnswer[]): string {
  const lines = answers.map(
    ({ thread, done, text }) =>
      `Thread ${thread}: ${done ? "done" : "not done"}: ${text.replace(/\s+/g, " ").trim()}`,
  );
  return [notes, ...lines].filter((part) => part !== "").join("\n");
}

/** What notes say of threads, by thread; the last word counts. Pure. */
export function answersIn(notes: string): ReadonlyMap<number, ThreadAnswer> {
  const found = new Map<number, ThreadAnswer>();
  for (const [, thread, word = "", text = ""] of notes.matchAll(LINE))
    found.set(Number(thread), {
      thread: Number(thread),
      done: word.toLowerCase() === "done",
      text: text.trim(),
    });
  return found;
}

/** Notes without those lines. Pure. */
export const withoutAnswers = (notes: string): string => notes.replace(LINE, "").trim();
