import type { z } from "zod";
import type { taskClass } from "../contract/index.ts";

export type TaskClass = z.infer<typeof taskClass>;

const HOUR_MS = 3_600_000;

/** Default SLA per class, in milliseconds from creation (requirements F.16: P0 24 h, P1 3 d, P2 7 d). */
export const DEFAULT_SLA_MS: Readonly<Record<TaskClass, number>> = {
  P0: 24 * HOUR_MS,
  P1: 72 * HOUR_MS,
  P2: 168 * HOUR_MS,
};

interface DeadlineParams {
  readonly class: TaskClass;
  readonly dueAt: Date | null;
  readonly createdAt: Date;
  readonly slaMs?: Readonly<Record<TaskClass, number>>;
}

/** A task's own deadline: its due date where it has one, else creation plus the SLA of its class. */
export function ownDeadline(params: Readonly<DeadlineParams>): Date {
  const sla = params.slaMs ?? DEFAULT_SLA_MS;
  return params.dueAt ?? new Date(params.createdAt.getTime() + sla[params.class]);
}

const PRIORITY_EPOCH_MS = Date.UTC(2025, 0, 1);
const INT32_MAX = 2 ** 31 - 1;

/** The queue's priority (int32, higher first) of a deadline: seconds that it lies before a fixed point, so nothing needs rescoring. */
export function priorityOf(deadlineAt: Date): number {
  const seconds = Math.floor((deadlineAt.getTime() - PRIORITY_EPOCH_MS) / 1000);
  return Math.max(-INT32_MAX, Math.min(INT32_MAX, -seconds));
}
