import { expect, test } from "vitest";
import { isProcessAlive, systemClock } from "../../base/index.ts";
import { createTestDatabase } from "../../store/testing.ts";
import { sandboxIdOf } from "../protocol.ts";
import { sandboxFixture, start } from "../sandbox/sandbox-fixture.ts";
import { endSandbox } from "./end-sandbox.ts";

const RUN = { runId: "R1", attempt: 1 };

test("ends the run's sandboxes, and not those of another installation's run with the same number", async () => {
  const { database } = await createTestDatabase();
  const started = async (instance: string) => {
    const { spec } = await sandboxFixture("sleep 100");
    const { identity } = await start({ ...spec, id: sandboxIdOf({ instance, ...RUN }) });
    return () => isProcessAlive(identity.initPid, identity.startTicks);
  };
  const [ours, theirs] = [`ours-${process.pid}`, `theirs-${process.pid}`];
  const [oursLives, theirsLives] = [await started(ours), await started(theirs)];
  await endSandbox({ database, instance: ours, clock: systemClock }, RUN);
  expect(await oursLives()).toBe(false);
  expect(await theirsLives()).toBe(true);
});
