/*
 * The disputes of our charges in Postgres, as the provider has them.
 *
 * K1  A dispute and the event that tells of it are one transaction.
 * M1  Written only where it is new or has changed, and an end stays: twice, late or out of order changes nothing.
 */
import { newEventsSql } from '@holdfast/messaging';
import type { OrderId } from '@holdfast/participant';
import { type Query, statement, type Transaction } from '@holdfast/postgres';
import type { ProviderDispute } from './provider-disputes.ts';

/** The provider's words for a dispute that has ended. */
const ENDED = `('won', 'lost', 'warning_closed', 'prevented')`;

const recordDispute = statement(
  'payment.record-dispute',
  `insert into disputes as d (tenant_id, order_id, dispute_id, amount, currency, reason, status, opened_at)
   select tenant_id, order_id, $4::text, $5::bigint, $6::text, $7::text, $8::text, to_timestamp($9::float8 / 1000)
     from charges where tenant_id = $1::text and order_id = $2::text and intent_id = $3::text
   on conflict (tenant_id, order_id, dispute_id) do update
      set status = excluded.status, amount = excluded.amount, reason = excluded.reason, changed_at = clock_timestamp(),
          revision = d.revision + 1
    -- Two that were asked for at once may be written in either order: an end stays.
    where d.status not in ${ENDED}
      and (d.status, d.amount, d.reason) is distinct from (excluded.status, excluded.amount, excluded.reason)`,
);

const publishDispute = statement(
  'payment.publish-dispute',
  `${newEventsSql({
    tenantId: 'tenant_id',
    orderId: 'order_id',
    kind: `'disputed:' || dispute || ':' || status`,
    source: '(select $1::text as tenant_id, $2::text as order_id, $3::text as dispute, $4::text as status) told',
  })}
   on conflict do nothing`,
);

/** @returns whether it is new or has changed; false where it is of no charge of ours */
export async function writeDispute(
  tx: Transaction,
  { tenantId, orderId }: OrderId,
  { id, intentId, amount, currency, reason, status, openedAtMs }: ProviderDispute,
  { publishes }: { publishes: boolean },
): Promise<boolean> {
  const { rowCount } = await tx.query({
    ...recordDispute,
    values: [tenantId, orderId, intentId, id, amount, currency, reason, status, openedAtMs],
  });
  if (rowCount !== 1) return false;
  if (publishes) await tx.query({ ...publishDispute, values: [tenantId, orderId, id, status] });
  return true;
}

const findKnown = statement(
  'payment.known-disputes',
  `select d.dispute_id as id, d.amount, d.status, d.reason
     from unnest($1::text[], $2::text[], $3::text[]) as r (tenant_id, order_id, dispute_id)
     join disputes d on d.tenant_id = r.tenant_id and d.order_id = r.order_id and d.dispute_id = r.dispute_id`,
);

/** Those of these disputes that are not recorded as they are. */
export async function notRecorded<D extends ProviderDispute & OrderId>(db: Query, disputes: D[]): Promise<D[]> {
  if (disputes.length === 0) return [];
  const { rows } = await db.query<Pick<ProviderDispute, 'id' | 'amount' | 'status' | 'reason'>>({
    ...findKnown,
    values: [
      disputes.map(({ tenantId }) => tenantId),
      disputes.map(({ orderId }) => orderId),
      disputes.map(({ id }) => id),
    ],
  });
  const marks = new Set(rows.map(markOf));
  return disputes.filter((dispute) => !marks.has(markOf(dispute)));
}

function markOf({ id, amount, status, reason }: Pick<ProviderDispute, 'id' | 'amount' | 'status' | 'reason'>): string {
  return `${id} ${amount} ${status} ${reason}`;
}

const takeOpen = statement(
  'payment.take-open-disputes',
  // Each look asks for others: those first that have not been asked for the longest.
  `update disputes d set looked_at = clock_timestamp()
     from (select tenant_id, order_id, dispute_id from disputes
            where status not in ${ENDED} order by looked_at limit $1::int) o
    where d.tenant_id = o.tenant_id and d.order_id = o.order_id and d.dispute_id = o.dispute_id
   returning d.tenant_id as "tenantId", d.order_id as "orderId", d.dispute_id as id`,
);

/** Disputes that have not ended, to be asked for now. */
export async function openDisputes(db: Query, limit: number): Promise<(OrderId & { id: string })[]> {
  return (await db.query<OrderId & { id: string }>({ ...takeOpen, values: [limit] })).rows;
}
