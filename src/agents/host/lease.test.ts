import { describe, expect, test } from "vitest";
import { createFakeClock } from "../../base/index.ts";
import { ASLEEP_MS, createLease } from "./lease.ts";

function setup({ connected = true, isShared = false } = {}) {
  const clock = createFakeClock();
  const state = { connected, renewals: 0 };
  const lease = createLease({
    leaseMs: 9000,
    isShared,
    clock,
    sendRenew: () => {
      if (state.connected) state.renewals += 1;
      return state.connected;
    },
  });
  const controller = new AbortController();
  void lease.run(controller.signal);
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, state, lease, controller, advance };
}

const settled = async (promise: Promise<void>): Promise<boolean> =>
  Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);

describe("lease", () => {
  test("renews at a third of its time", async () => {
    const { state, advance } = setup();
    await advance(9000);
    expect(state.renewals).toBe(3);
  });

  test("a control plane that is away stops nothing", async () => {
    const { lease, controller, advance } = setup({ connected: false });
    await advance(60_000);
    expect(await settled(lease.hold(controller.signal))).toBe(true);
  });

  test("asks first after this process was stopped", async () => {
    const { clock, state, lease, controller } = setup();
    clock.advance(ASLEEP_MS + 1);
    const held = lease.hold(controller.signal);
    expect(state.renewals).toBe(1);
    expect(await settled(held)).toBe(false);
    lease.confirm();
    expect(await settled(held)).toBe(true);
  });

  test("keeps waiting after a stop while the control plane is away", async () => {
    const { clock, state, lease, controller, advance } = setup({ connected: false });
    clock.advance(ASLEEP_MS + 1);
    const held = lease.hold(controller.signal);
    await advance(10_000);
    expect(await settled(held)).toBe(false);
    state.connected = true;
    await advance(500);
    expect(state.renewals).toBe(1);
    lease.confirm();
    expect(await settled(held)).toBe(true);
  });

  test("with other machines, nothing begins near the end of a lease that nobody renews", async () => {
    const { lease, state, controller, advance } = setup({ connected: false, isShared: true });
    await advance(5_000);
    expect(await settled(lease.hold(controller.signal))).toBe(true);
    await advance(4_000);
    const held = lease.hold(controller.signal);
    expect(await settled(held)).toBe(false);
    state.connected = true;
    await advance(1_000);
    lease.confirm();
    expect(await settled(held)).toBe(true);
  });

  test("ends the wait when the run is taken away", async () => {
    const { clock, lease, controller } = setup();
    clock.advance(ASLEEP_MS + 1);
    const held = lease.hold(controller.signal);
    controller.abort(new Error("lost"));
    await expect(held).rejects.toThrow("lost");
    await expect(lease.hold(controller.signal)).rejects.toThrow("lost");
  });
});
