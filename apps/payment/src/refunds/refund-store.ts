/*
 * The refunds of charges in Postgres.
 *
 * M1  Every change of a charge's refunds locks the charge first, and leaves the charge's sums as its rows add up.
 * K5  A refund's primary key is its id: it counts once, even when its claim is long gone.
 * Locks: charges, then their refunds, then accounts, each in order of its key.
 */
import { type OrderId, orderColumns } from '@holdfast/participant';
import { fewRowsHint, type Query, statement, type Transaction } from '@holdfast/postgres';
import type { ChargeBook, Refund } from './refund-book.ts';

export interface RefundId extends OrderId {
  refundId: string;
}

export interface StoredCharge extends OrderId, ChargeBook {
  customerId: string;
  currency: string;
  /** What the order was charged, whether it was captured or not. */
  authorized: number;
  /** The provider's payment; null where the money is here. */
  intentId: string | null;
}

const lockCharges = statement(
  'payment.lock-charges-to-refund',
  `select c.tenant_id as "tenantId", c.order_id as "orderId", c.customer_id as "customerId", c.currency, c.state,
          coalesce(c.captured_amount, c.amount) as amount, c.amount as authorized,
          c.intent_id as "intentId", c.refunded_amount as refunded, c.refunding_amount as refunding
     from (select distinct tenant_id, order_id from unnest($1::text[], $2::text[]) as r (tenant_id, order_id)
            order by tenant_id, order_id) r,
          lateral (select * from charges c
                    where c.tenant_id = r.tenant_id and c.order_id = r.order_id for update) c`,
);

/** Locks the charges of these orders, several refunds of one order included. @returns finds an order's charge */
export async function lockChargesOf(
  tx: Transaction,
  orders: OrderId[],
): Promise<(order: OrderId) => StoredCharge | undefined> {
  const { rows } = await tx.query<StoredCharge>({ ...lockCharges, values: orderColumns(orders) });
  const found = new Map(rows.map((row) => [`${row.tenantId} ${row.orderId}`, row]));
  return ({ tenantId, orderId }) => found.get(`${tenantId} ${orderId}`);
}

export type StoredRefund = RefundId & Refund & { attempts: number; keyNumber: number };

const COLUMNS = `f.tenant_id as "tenantId", f.order_id as "orderId", f.refund_id as "refundId", f.origin, f.amount, f.state,
          f.provider_refund_id as "providerRefundId", f.reason, f.attempts, f.key_number as "keyNumber"`;

const findRefunds = statement(
  'payment.find-refunds',
  `select ${COLUMNS} from unnest($1::text[], $2::text[], $3::text[]) as r (tenant_id, order_id, refund_id),
          lateral (select * from refunds f
                    where f.tenant_id = r.tenant_id and f.order_id = r.order_id and f.refund_id = r.refund_id offset 0) f`,
);

/** @returns finds a refund's row; read under the locks of the charges */
export async function readRefunds(
  tx: Transaction,
  refunds: RefundId[],
): Promise<(refund: RefundId) => StoredRefund | undefined> {
  const { rows } = await tx.query<StoredRefund>({ ...findRefunds, values: refundColumns(refunds) });
  const found = new Map(rows.map((row) => [rowKey(row), row]));
  return (refund) => found.get(rowKey(refund));
}

const refundsOfCharge = statement(
  'payment.refunds-of-charge',
  `select ${COLUMNS} from refunds f where f.tenant_id = $1::text and f.order_id = $2::text`,
);

export async function readRefundsOf(db: Query, { tenantId, orderId }: OrderId): Promise<StoredRefund[]> {
  return (await db.query<StoredRefund>({ ...refundsOfCharge, values: [tenantId, orderId] })).rows;
}

const writeRows = statement(
  'payment.write-refunds',
  `insert into refunds as f (tenant_id, order_id, refund_id, origin, amount, state, provider_refund_id, reason)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[])
   on conflict (tenant_id, order_id, refund_id) do update
     set state = excluded.state, amount = excluded.amount, provider_refund_id = coalesce(excluded.provider_refund_id, f.provider_refund_id),
         reason = excluded.reason, revision = f.revision + 1, changed_at = clock_timestamp()`,
);

const countUp = statement(
  'payment.count-refunds',
  `update charges c set refunded_amount = s.refunded, refunding_amount = s.refunding
     from (select distinct tenant_id, order_id from unnest($1::text[], $2::text[]) as r (tenant_id, order_id)) r,
          lateral (select coalesce(sum(amount) filter (where state = 'succeeded'), 0)::bigint as refunded,
                          coalesce(sum(amount) filter (where state in ('reserved', 'pending')), 0)::bigint as refunding
                     from refunds f where f.tenant_id = r.tenant_id and f.order_id = r.order_id) s
    where c.tenant_id = r.tenant_id and c.order_id = r.order_id and ${fewRowsHint('r.tenant_id', 'r.order_id')}`,
);

/** Writes these rows and the sums of their charges, which are locked. @throws pg errors */
export async function writeRefunds(tx: Transaction, refunds: (RefundId & Refund)[]): Promise<void> {
  if (refunds.length === 0) return;
  await tx.query({
    ...writeRows,
    values: [
      ...refundColumns(refunds),
      refunds.map(({ origin }) => origin),
      refunds.map(({ amount }) => amount),
      refunds.map(({ state }) => state),
      refunds.map(({ providerRefundId }) => providerRefundId),
      refunds.map(({ reason }) => reason),
    ],
  });
  await tx.query({ ...countUp, values: orderColumns(refunds) });
}

export function refundColumns(refunds: RefundId[]): [string[], string[], string[]] {
  return [...orderColumns(refunds), refunds.map(({ refundId }) => refundId)];
}

function rowKey({ tenantId, orderId, refundId }: RefundId): string {
  return `${tenantId} ${orderId} ${refundId}`;
}
