import { afterEach, expect, it } from "vitest";
import { createInstallation, type TestInstallation } from "../support/installation.ts";
import { expectSoon } from "./diagnosis.ts";
import { openRecords } from "./records.ts";
import { findProcesses, signal } from "./victims.ts";

let installation: TestInstallation | null = null;
afterEach(async () => {
  await installation?.destroy();
  installation = null;
});

it("a control plane whose supervisors are killed one after the other gets one that stands", async () => {
  const product = (installation = await createInstallation());
  const records = openRecords(product);
  product.up();
  await expectSoon(product, records, "the product starts", 60_000, () => product.get("/healthz"));
  const killed = new Set<number>();
  for (let kills = 0; kills < 6; kills += 1) {
    const next = await expectSoon(product, records, "there is another supervisor", 20_000, async () =>
      (await findProcesses(product, "supervisor")).find(({ pid }) => !killed.has(pid)),
    );
    killed.add(next.pid);
    signal(next.pid, "SIGKILL");
  }
  await expectSoon(product, records, "a supervisor has a control plane that answers", 30_000, async () => {
    const supervisors = (await findProcesses(product, "supervisor")).filter(({ pid }) => !killed.has(pid));
    const planes = await findProcesses(product, "control-plane");
    const isWhole = planes.length === 1 && supervisors.some(({ pid }) => pid === planes[0]?.parentPid);
    return isWhole && (await product.get("/healthz")) !== null;
  });
  const { code, stderr } = await product.cli("shutdown");
  expect(code, stderr).toBe(0);
  await expectSoon(product, records, "no process is left", 20_000, async () => {
    return (await product.processes()).length === 0;
  });
});
