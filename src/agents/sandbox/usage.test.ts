import { describe, expect, it } from "vitest";
import { silentLog, systemClock, systemProcessRunner } from "../../base/index.ts";
import { sandboxFixture, start } from "./sandbox-fixture.ts";
import { watchUsage, type UsageExceeded, type UsageLimits } from "./usage.ts";

const NONE: UsageLimits = { diskBytes: null, freeBytes: null, processes: null, memoryBytes: null };

async function watch(script: string, limits: Partial<UsageLimits>): Promise<UsageExceeded | null> {
  const { spec } = await sandboxFixture(script);
  const handle = await start(spec);
  return watchUsage({
    identity: handle.identity,
    directories: [spec.cloneDir, spec.homeDir],
    limits: { ...NONE, ...limits },
    clock: systemClock,
    runner: systemProcessRunner,
    log: silentLog,
    signal: AbortSignal.timeout(10_000),
    intervalMs: 20,
  });
}

describe("watchUsage", () => {
  it("sees too much on disk in any of the directories", async () => {
    const exceeded = await watch('head -c 9000000 /dev/zero > "$HOME/big"; sleep 100', {
      diskBytes: 4_000_000,
    });
    expect(exceeded).toMatchObject({ what: "diskBytes", limit: 4_000_000 });
  });

  it("sees too many processes, however deep", async () => {
    const exceeded = await watch("for i in 1 2 3 4 5 6; do setsid -f sleep 100; done; sleep 100", {
      processes: 7,
    });
    expect(exceeded?.what).toBe("processes");
  });

  it("sees a file system that runs full, and too much memory", async () => {
    expect((await watch("sleep 100", { freeBytes: Number.MAX_SAFE_INTEGER }))?.what).toBe("freeBytes");
    expect((await watch("sleep 100", { memoryBytes: 1000 }))?.what).toBe("memoryBytes");
  });

  it("ends with null when told to stop", async () => {
    const { spec } = await sandboxFixture("sleep 100");
    const handle = await start(spec);
    const stop = new AbortController();
    const watching = watchUsage({
      identity: handle.identity,
      directories: [spec.cloneDir],
      limits: { ...NONE, processes: 1000 },
      clock: systemClock,
      runner: systemProcessRunner,
      log: silentLog,
      signal: stop.signal,
    });
    stop.abort();
    expect(await watching).toBeNull();
  });
});
