import {
  AppError,
  backoffMs,
  createLoop,
  toAppError,
  type Clock,
  type Log,
  type Loop,
  type Random,
} from "../../../base/index.ts";
import type { Database, Notifier } from "../../../store/index.ts";
import {
  buryDelivery,
  claimDelivery,
  DELIVERIES_CHANNEL,
  finishDelivery,
  forgetDeliveries,
  postponeDelivery,
  type Delivery,
} from "./delivery-store.ts";
import { targetsOf, type Target } from "./targets.ts";

interface ProcessorParams {
  readonly database: Database;
  readonly notifier: Pick<Notifier, "subscribe">;
  /** Looks at a place as the poll would. Safe to repeat. */
  readonly look: (target: Target) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const LOOK_MS = 10_000;
const LEASE_MS = 2 * 60_000;
const LANES = 4;
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 5 * 60_000;
const MAX_ATTEMPTS = 10;
const FORGET_EVERY_MS = 60 * 60_000;
// GitHub sends a delivery again for three days at most.
const KEPT_DAYS = 7;

/**
 * Works through the stored deliveries, several at once. One whose try died with the process is taken up again when its lease
 * ends; one that cannot be understood, or fails ten times, is kept as dead: the poll finds what it was about.
 */
export function createDeliveryProcessor(params: Readonly<ProcessorParams>): Loop {
  const { database, clock, random } = params;
  let unsubscribe: (() => void) | null = null;
  let forgetAt = 0;
  const loop = createLoop({
    name: "github-deliveries",
    intervalMs: LOOK_MS,
    clock,
    random,
    log: params.log,
    tick: async (signal) => {
      const claim = (): Promise<Delivery | null> =>
        claimDelivery(database, { token: random.uuid(), leaseMs: LEASE_MS });
      const lane = async (first: Delivery | null): Promise<void> => {
        for (let one = first; one !== null; one = signal.aborted ? null : await claim())
          if (!(await processOne(params, one))) return;
      };
      const first = await claim();
      if (first !== null)
        await Promise.all([
          lane(first),
          ...Array.from({ length: LANES - 1 }, async () => lane(await claim())),
        ]);
      if (clock.monotonicMs() < forgetAt) return;
      forgetAt = clock.monotonicMs() + FORGET_EVERY_MS;
      await forgetDeliveries(database, KEPT_DAYS);
    },
  });
  return {
    ...loop,
    start: () => {
      unsubscribe ??= params.notifier.subscribe(DELIVERIES_CHANNEL, () => loop.wake());
      return loop.start();
    },
    stop: () => {
      unsubscribe?.();
      unsubscribe = null;
      return loop.stop();
    },
  };
}

/** False where GitHub asked us to pause: the others would fare no better. */
async function processOne(params: Readonly<ProcessorParams>, delivery: Delivery): Promise<boolean> {
  const { database, log } = params;
  try {
    for (const target of read(delivery)) await params.look(target);
    await finishDelivery(database, delivery);
    return true;
  } catch (error) {
    const known = toAppError(error);
    const { id, event, attempts } = delivery;
    const isPause = known.code === "github.rate_limited";
    if (known.code !== "input.invalid" && (isPause || attempts < MAX_ATTEMPTS)) {
      const stated = known.details["retryAfterMs"];
      const own = backoffMs({
        attempt: attempts,
        baseMs: RETRY_BASE_MS,
        maxMs: RETRY_MAX_MS,
        random: params.random,
      });
      const delayMs = typeof stated === "number" ? Math.max(stated, own) : own;
      await postponeDelivery(database, delivery, { error: known.message, delayMs, countsAsTry: !isPause });
      log.warn({ delivery: id, event, attempts, delayMs, error: known.message }, "delivery postponed");
      return !isPause;
    }
    await buryDelivery(database, delivery, known.message);
    log.error(
      { delivery: id, event, attempts, error: known.message },
      "delivery given up; the poll takes over",
    );
    return true;
  }
}

function read({ event, body }: Delivery): readonly Target[] {
  try {
    return targetsOf(event, JSON.parse(body));
  } catch (error) {
    throw new AppError({
      code: "input.invalid",
      message: `The delivery is not what GitHub documents for "${event}".`,
      cause: error,
    });
  }
}
