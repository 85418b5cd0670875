import { afterEach, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { readPidFile } from "./victims.ts";

let installation: TestInstallation | null = null;
afterEach(async () => {
  await installation?.destroy();
  installation = null;
});

it("a second `up` on the same data directory is refused with a fix, and the first one goes on", async () => {
  const product = (installation = await createInstallation());
  product.up();
  await eventually("the product starts", 60_000, () => product.get("/healthz"));
  const first = await eventually("it says where it is", 10_000, () => readPidFile(product));
  const { code, stdout, stderr } = await product.cli("up", "--no-demo", "--port", String(product.port));
  expect(code).not.toBe(0);
  expect(stdout).toBe("");
  expect(stderr).toContain(`miyabi runs already on ${product.home}`);
  expect(stderr).toMatch(/fix: .* status, or .* shutdown/);
  expect(await product.get("/healthz")).not.toBeNull();
  expect(await readPidFile(product)).toBe(first);
});
