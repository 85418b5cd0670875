import { expect, test } from "vitest";
import { type Clock, createSeededRandom, silentLog, systemClock } from "../../base/index.ts";
import { createTestDatabase } from "../../store/testing.ts";
import type { RunService } from "../../tasks/index.ts";
import type { SlotProcess, SlotRuntime } from "../runtimes/index.ts";
import type { TeamSlot } from "../team/index.ts";
import type { ConnectedHost, HostHub } from "./host-hub.ts";
import { createWatchdog } from "./watchdog.ts";

const KAEDE: TeamSlot = {
  slot: "kaede",
  name: "Kaede",
  nameJa: "カエデ",
  role: "code",
  color: "#000000",
  takes: ["code"],
  profile: null,
};

/** A watchdog over one slot whose process, connection and time the test sets. */
async function setup() {
  const { database } = await createTestDatabase();
  const state = { nowMs: 0, alive: false, connected: false, starts: 0 };
  const clock: Clock = { ...systemClock, monotonicMs: () => state.nowMs };
  const started = (): Promise<SlotProcess> => {
    state.starts += 1;
    state.alive = true;
    return Promise.resolve({ slot: "kaede", pid: 1, dead: false });
  };
  const runtime: SlotRuntime = {
    kind: "process",
    ensureServer: () => Promise.resolve(),
    list: () => Promise.resolve(state.alive ? [{ slot: "kaede", pid: 1, dead: false }] : []),
    start: started,
    restart: started,
    stop: () => Promise.resolve(),
    capture: () => Promise.resolve(null),
    attachCommand: () => Promise.resolve(null),
    stopAll: () => Promise.resolve(),
  };
  const host = (): ConnectedHost | null =>
    state.connected
      ? ({ slot: "kaede", pid: 1, startTicks: "1", lastSeenMs: state.nowMs } as ConnectedHost)
      : null;
  const watchdog = createWatchdog({
    database,
    instance: "test",
    runtime,
    hub: { host, disconnect: () => {}, send: () => false } as unknown as HostHub,
    runs: { expired: () => Promise.resolve([]) } as unknown as RunService,
    slots: [KAEDE],
    startSlot: () => ({ slot: "kaede", title: "", color: "", command: [], env: {} }),
    clock,
    random: createSeededRandom(1),
    log: silentLog,
  });
  return { state, watchdog };
}

test("a host that worked is started again at once, however often it is killed", async () => {
  const { state, watchdog } = await setup();
  for (let kills = 0; kills < 12; kills += 1) {
    Object.assign(state, { alive: false, connected: false, nowMs: state.nowMs + 1_000 });
    await watchdog.tick();
    Object.assign(state, { connected: true, nowMs: state.nowMs + 1_000 });
    await watchdog.tick();
  }
  expect(state.starts).toBe(12);
});

test("a host that ends before it says hello is started less and less often", async () => {
  const { state, watchdog } = await setup();
  for (let second = 0; second < 60; second += 1) {
    Object.assign(state, { alive: false, nowMs: state.nowMs + 1_000 });
    await watchdog.tick();
  }
  expect(state.starts).toBeGreaterThan(3);
  expect(state.starts).toBeLessThan(12);
});

test("a host that worked and lost its line gets time to come back before it is replaced", async () => {
  const { state, watchdog } = await setup();
  await watchdog.tick();
  Object.assign(state, { connected: true, nowMs: 300_000 });
  await watchdog.tick();
  Object.assign(state, { connected: false, nowMs: state.nowMs + 1_000 });
  await watchdog.tick();
  expect(state.starts).toBe(1);
  state.nowMs += 20_000;
  await watchdog.tick();
  expect(state.starts).toBe(2);
});
