import os from "node:os";
import { expect, test } from "vitest";
import { lackOfDiskRoom } from "./disk-room.ts";

test("a disk with room, and a directory that is not there yet, lack nothing", async () => {
  expect(await lackOfDiskRoom({ root: os.tmpdir() })).toBeNull();
  expect(await lackOfDiskRoom({ root: "/nowhere/at/all" })).toBeNull();
});

test("a disk without room is named with what helps", async () => {
  // Has no blocks at all, on every Linux.
  expect(await lackOfDiskRoom({ root: "/proc" })).toMatchObject({
    code: "disk.full",
    message: expect.stringContaining("/proc is full (0 MiB free)"),
    fix: expect.stringContaining("Free some space"),
  });
});
