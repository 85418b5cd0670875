import { afterEach, describe, expect, it } from "vitest";
import { createFakeClock } from "./clock.ts";
import { createLog } from "./log.ts";
import { createSeededRandom } from "./random.ts";
import { createLoop, type Loop } from "./service.ts";

const started: Loop[] = [];
afterEach(async () => {
  for (const loop of started.splice(0)) await loop.stop();
});

/** A loop of which each round is answered by `answer`; `settled` resolves when nothing moves before time does. */
async function setup(answer: (round: number) => Promise<"quiet" | void>) {
  const clock = createFakeClock();
  let rounds = 0;
  const loop = createLoop({
    name: "test",
    intervalMs: 1_000,
    tick: () => answer((rounds += 1)),
    clock,
    random: createSeededRandom(1),
    log: createLog({ name: "test", level: "silent" }),
  });
  started.push(loop);
  const settled = async (): Promise<number> => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    return rounds;
  };
  await loop.start();
  expect(await settled()).toBe(1);
  return { clock, loop, settled };
}

describe("a loop", () => {
  it("that is at work keeps its interval, whoever rouses it", async () => {
    const { clock, loop, settled } = await setup(() => Promise.resolve());
    loop.rouse();
    expect(await settled()).toBe(1);
    clock.advance(1_000);
    expect(await settled()).toBe(2);
  });

  it("that was quiet rests, and is roused at once", async () => {
    const { clock, loop, settled } = await setup(() => Promise.resolve("quiet"));
    clock.advance(5_000);
    expect(await settled()).toBe(1);
    loop.rouse();
    expect(await settled()).toBe(2);
    clock.advance(15_000);
    expect(await settled()).toBe(3);
  });

  it("that is roused in the middle of a quiet round does not rest after it", async () => {
    const round = Promise.withResolvers<"quiet">();
    const { clock, loop, settled } = await setup((number) =>
      number === 1 ? round.promise : Promise.resolve("quiet"),
    );
    loop.rouse();
    round.resolve("quiet");
    await settled();
    clock.advance(1_000);
    expect(await settled()).toBe(2);
  });

  it("that is woken runs at once, quiet or not", async () => {
    const { loop, settled } = await setup((number) => Promise.resolve(number > 1 ? "quiet" : undefined));
    loop.wake();
    expect(await settled()).toBe(2);
    loop.wake();
    expect(await settled()).toBe(3);
  });
});
