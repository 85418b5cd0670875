import { z } from "zod";

const text = z.string().min(1);
const file = z.strictObject({ path: text, content: z.string() });

/** One thing that the sample agent does. Every step may be repeated after a crash without doing harm. */
const step = z.union([
  z.strictObject({ think: text }),
  z.strictObject({ say: text }),
  z.strictObject({ plan: z.array(text).min(1) }),
  z.strictObject({ read: text }),
  z.strictObject({ write: file }),
  z.strictObject({ append: file }),
  z.strictObject({ replace: z.strictObject({ path: text, find: text, with: z.string() }) }),
  z.strictObject({ delete: text }),
  /** Shell command; its failure is shown and does not end the turn. */
  z.strictObject({ run: text }),
  /** Pause in milliseconds, as if a model thought for long. */
  z.strictObject({ wait: z.number().int().positive().max(3_600_000) }),
  z.strictObject({ progress: text }),
  z.strictObject({ message: z.strictObject({ to: text, text }) }),
  /** Asks a person and goes on with the answer in the transcript. */
  z.strictObject({ ask: text }),
  /** Asks the client's permission; without it the agent reports `blocked`. */
  z.strictObject({ permission: text }),
  z.strictObject({ commit: text }),
  /** In a merge: the file's resolved content. Files that no step resolves keep both sides. */
  z.strictObject({ resolve: file }),
  z.strictObject({ blocked: text }),
]);
export type Step = z.infer<typeof step>;

const review = z.union([
  z.strictObject({ approve: text }),
  z.strictObject({ changes: text }),
  z.strictObject({ blocked: text }),
]);

const steps = z.array(step);
/** What to do, by the reason why the agent is called. */
export const recipe = z.strictObject({
  implement: steps,
  "check-failed": steps.optional(),
  "changes-requested": steps.optional(),
  conflict: steps.optional(),
  continue: steps.optional(),
  /** Verdict of each review in turn; the last one repeats. */
  review: z.array(review).min(1).optional(),
});
export type Recipe = z.infer<typeof recipe>;

const FENCE = /^[ \t]*(`{3,}|~{3,})miyabi-recipe[ \t]*\n([\s\S]*?)\n[ \t]*\1[ \t]*$/m;

/** The recipe in a text, or null where there is none. @throws Error naming the field where it is not valid. */
export async function findRecipe(prompt: string): Promise<Recipe | null> {
  const source = FENCE.exec(prompt)?.[2];
  if (source === undefined) return null;
  const { parse } = await import("yaml"); // Loaded only now: the agent starts 20 ms sooner without it.
  const result = recipe.safeParse(parse(source));
  if (result.success) return result.data;
  throw new Error(`The recipe is not valid: ${z.prettifyError(result.error)}`);
}
