import { AppError, systemClock } from "../base/index.ts";
import type { Client } from "./client.ts";

/** Asks the product to end and waits until it has. */
export async function shutDown(client: Client): Promise<void> {
  await client.call("shutDown");
  const deadline = systemClock.monotonicMs() + 60_000;
  while (await answers(client.url)) {
    if (systemClock.monotonicMs() > deadline)
      throw new AppError({ code: "process.timeout", message: "It is still running after 60 s." });
    await systemClock.sleep(100);
  }
}

/** Whether anything answers there. */
export async function answers(url: string): Promise<boolean> {
  return fetch(new URL("/healthz", url), { signal: AbortSignal.timeout(2_000) }).then(
    () => true,
    () => false,
  );
}
