import { notify, type Queryable, type Tx } from "../../../store/index.ts";

/** LISTEN channel that is signalled when a delivery was stored. */
export const DELIVERIES_CHANNEL = "miyabi_github_deliveries";

export interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly body: string;
  /** Tries, this one included. */
  readonly attempts: number;
  readonly leaseToken: string;
}

/** Keeps a delivery. False where it is known already; it is then processed, or will be, without this one. */
export async function storeDelivery(
  tx: Tx,
  delivery: { readonly id: string; readonly event: string; readonly body: Buffer },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    "insert into miyabi.github_deliveries (id, event, body) values ($1, $2, $3) on conflict (id) do nothing",
    [delivery.id, delivery.event, delivery.body],
  );
  if (rowCount > 0) await notify(tx, DELIVERIES_CHANNEL, "");
  return rowCount > 0;
}

interface Row {
  readonly id: string;
  readonly event: string;
  readonly body: Buffer;
  readonly attempts: number;
}

/** Leases the oldest due delivery; null where there is none. */
export async function claimDelivery(
  db: Queryable,
  params: Readonly<{ token: string; leaseMs: number }>,
): Promise<Delivery | null> {
  const { rows } = await db.query<Row>(
    `update miyabi.github_deliveries set lease_token = $1, lease_expires_at = now() + make_interval(secs => $2), attempts = attempts + 1
     where id = (select id from miyabi.github_deliveries
       where state = 'pending' and due_at <= now() and (lease_expires_at is null or lease_expires_at < now())
       order by due_at limit 1 for update skip locked)
     returning id, event, body, attempts`,
    [params.token, params.leaseMs / 1_000],
  );
  const row = rows[0];
  return row === undefined ? null : { ...row, body: row.body.toString("utf8"), leaseToken: params.token };
}

type Held = Pick<Delivery, "id" | "leaseToken">;

/** What it said is done; only its id is kept, so that it is known when it comes again. */
export async function finishDelivery(db: Queryable, { id, leaseToken }: Held): Promise<void> {
  await db.query(
    `update miyabi.github_deliveries set state = 'done', body = null, error = null, finished_at = now(), lease_token = null, lease_expires_at = null
     where id = $1 and lease_token = $2 and state = 'pending'`,
    [id, leaseToken],
  );
}

/** Gives it back for a later try; `countsAsTry` false where the try said nothing about it. */
export async function postponeDelivery(
  db: Queryable,
  { id, leaseToken }: Held,
  params: Readonly<{ error: string; delayMs: number; countsAsTry: boolean }>,
): Promise<void> {
  await db.query(
    `update miyabi.github_deliveries set error = $3, due_at = now() + make_interval(secs => $4), attempts = attempts - $5,
       lease_token = null, lease_expires_at = null
     where id = $1 and lease_token = $2 and state = 'pending'`,
    [id, leaseToken, params.error.slice(0, 2_000), params.delayMs / 1_000, params.countsAsTry ? 0 : 1],
  );
}

/** No try will do; it is kept with its text, for a person to see. */
export async function buryDelivery(db: Queryable, { id, leaseToken }: Held, error: string): Promise<void> {
  await db.query(
    `update miyabi.github_deliveries set state = 'dead', error = $3, finished_at = now(), lease_token = null, lease_expires_at = null
     where id = $1 and lease_token = $2 and state = 'pending'`,
    [id, leaseToken, error.slice(0, 2_000)],
  );
}

/** Removes what GitHub will not send again. */
export async function forgetDeliveries(db: Queryable, days: number): Promise<void> {
  await db.query(
    "delete from miyabi.github_deliveries where state <> 'pending' and finished_at < now() - make_interval(days => $1)",
    [days],
  );
}
