import { expect, test } from "vitest";
import { tellStory } from "./decide-fixture.ts";

const changed = { type: "text-changed", by: "hanako", text: "Say it in yen." } as const;
const again = expect.objectContaining({
  reason: "changes-requested",
  details: expect.stringContaining("Say it in yen.") as string,
}) as unknown;

test("new words end what the agent does with the old ones, and go to it", () => {
  const story = tellStory();
  story.happen({ type: "admit" });
  story.lease();
  const { endRun, newRun } = story.happen(changed);
  expect(endRun).toMatchObject({ state: "cancelled", error: { code: "text.changed" } });
  expect(newRun).toMatchObject({ stepPosition: 0, cause: again });
});

test("a task that has not begun begins with the new words", () => {
  const story = tellStory();
  story.happen({ type: "admit" });
  expect(story.happen(changed)).toMatchObject({ endRun: null, newRun: null });
});

test("what was done after the work is done again", () => {
  const story = tellStory();
  story.happen({ type: "admit" });
  story.reach("review");
  const { newRun } = story.happen(changed);
  expect(newRun).toMatchObject({ stepPosition: 0, cause: again });
  expect(story.now().task).toMatchObject({ state: "ready", currentStep: "implement" });
});

test("a task that has ended takes no new words", () => {
  const story = tellStory();
  story.happen({ type: "admit" });
  story.happen({ type: "cancel", by: "hanako", note: "" });
  expect(() => story.happen(changed)).toThrow(/has ended/);
});
