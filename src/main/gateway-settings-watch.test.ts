import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { resolveHome, silentLog, systemClock, systemRandom } from "../base/index.ts";
import { gatewaySettings } from "../gateway/index.ts";
import { watchGatewaySettings } from "./gateway-settings-watch.ts";

test("follows miyabi.yaml and prices.yaml, and keeps the last good settings", async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), "miyabi-watch-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const home = resolveHome({ MIYABI_HOME: root });
  const errors: unknown[] = [];
  const watch = watchGatewaySettings({
    home,
    initial: gatewaySettings.parse({}),
    clock: systemClock,
    random: systemRandom,
    log: { ...silentLog, error: (fields) => void errors.push(fields) },
  });
  await watch.tick();
  const before = watch.current();
  await watch.tick();
  expect(watch.current()).toBe(before);

  await writeFile(
    home.configFile,
    "gateway:\n  aliases: { fast: gpt-5 }\n  prices: { a: { input: 1, output: 2 } }\n",
  );
  await writeFile(path.join(root, "prices.yaml"), "a: { input: 9, output: 9 }\nb: { input: 3, output: 4 }\n");
  await watch.tick();
  expect(watch.current()).toMatchObject({
    aliases: { fast: "gpt-5" },
    prices: { a: { input: 1, output: 2 }, b: { input: 3, output: 4 } },
  });

  const good = watch.current();
  await writeFile(home.configFile, "gateway:\n  alias: wrong\n");
  await watch.tick();
  expect(watch.current()).toBe(good);
  expect(JSON.stringify(errors)).toContain("gateway.alias");
});
