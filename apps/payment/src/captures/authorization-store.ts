/*
 * Authorisations of charges that are captured later, in Postgres: until when they can be, and who has been told of it.
 *
 * M1  Only a charge that is still `authorized` expires: what is being captured or given back ends by itself.
 * E2  A change stays in the list of what is untold until it has been taken in (news/order-news.ts).
 * Locks: charges, then their authorisations. Looks take what nobody holds, so that they wait for none of them.
 */
import { type OrderId, orderColumns } from '@holdfast/participant';
import { type Query, statement, type Transaction } from '@holdfast/postgres';
import type { ChargeOutcome } from '../charge.ts';

const openRows = statement(
  'payment.open-authorizations',
  `insert into authorizations (tenant_id, order_id, expires_at)
   select * from unnest($1::text[], $2::text[], $3::timestamptz[]) on conflict (tenant_id, order_id) do nothing`,
);

/** Of those that are set aside. Nothing is written for any other. */
export async function openAuthorizations(tx: Transaction, orders: OrderId[], outcomes: ChargeOutcome[]): Promise<void> {
  const opened = orders.flatMap((order, at) => {
    const outcome = outcomes[at];
    const until = outcome?.kind === 'completed' ? outcome.result.authorizedUntil : null;
    return until === null ? [] : [{ ...order, until }];
  });
  if (opened.length === 0) return;
  await tx.query({ ...openRows, values: [...orderColumns(opened), opened.map(({ until }) => until)] });
}

const closeRow = statement(
  'payment.close-authorization',
  `update authorizations set state = 'closed', revision = revision + 1, changed_at = clock_timestamp()
    where tenant_id = $1::text and order_id = $2::text`,
);

export async function closeAuthorization(tx: Transaction, { tenantId, orderId }: OrderId): Promise<void> {
  await tx.query({ ...closeRow, values: [tenantId, orderId] });
}

const markExpiring = statement(
  'payment.mark-expiring',
  `update authorizations a set state = 'expiring', revision = a.revision + 1, changed_at = clock_timestamp()
     from (select tenant_id, order_id from authorizations
            where state = 'open' and expires_at <= clock_timestamp() + $1::bigint * interval '1 millisecond'
            order by expires_at limit $2::int for update skip locked) s
    where a.tenant_id = s.tenant_id and a.order_id = s.order_id and a.state = 'open'
   returning a.tenant_id as "tenantId", a.order_id as "orderId"`,
);

/** Those that run out within this time, some at a time: each is told once. */
export async function warnOfExpiring(db: Query, withinMs: number, limit: number): Promise<OrderId[]> {
  return (await db.query<OrderId>({ ...markExpiring, values: [withinMs, limit] })).rows;
}

const takeDue = statement(
  'payment.take-due-authorizations',
  `update authorizations a set looked_at = clock_timestamp()
     from (select tenant_id, order_id from authorizations
            where state in ('open', 'expiring') and expires_at <= clock_timestamp()
            order by looked_at nulls first limit $1::int for update skip locked) s,
          charges c
    where a.tenant_id = s.tenant_id and a.order_id = s.order_id
      and c.tenant_id = s.tenant_id and c.order_id = s.order_id
   returning a.tenant_id as "tenantId", a.order_id as "orderId", c.intent_id as "intentId"`,
);

/** Whose time is over, to be asked about now; each look asks about others. */
export async function dueAuthorizations(db: Query, limit: number): Promise<(OrderId & { intentId: string | null })[]> {
  return (await db.query<OrderId & { intentId: string | null }>({ ...takeDue, values: [limit] })).rows;
}

const findOpen = statement(
  'payment.open-authorization',
  `select true from authorizations where tenant_id = $1::text and order_id = $2::text and state in ('open', 'expiring')`,
);

/** Whether the order's charge waits for its capture, as far as is known here. */
export async function hasOpenAuthorization(db: Query, { tenantId, orderId }: OrderId): Promise<boolean> {
  return (await db.query({ ...findOpen, values: [tenantId, orderId] })).rowCount === 1;
}

const expireCharge = statement(
  'payment.expire-charge',
  `with gone as (
     update charges set state = 'expired', settled_at = clock_timestamp()
      where tenant_id = $1::text and order_id = $2::text and state = 'authorized'
     returning tenant_id, order_id
   )
   update authorizations a set state = 'expired', revision = a.revision + 1, changed_at = clock_timestamp()
     from gone where a.tenant_id = gone.tenant_id and a.order_id = gone.order_id`,
);

/** @returns false where it is being captured or given back, or has expired before */
export async function expireAuthorization(db: Query, { tenantId, orderId }: OrderId): Promise<boolean> {
  return (await db.query({ ...expireCharge, values: [tenantId, orderId] })).rowCount === 1;
}
