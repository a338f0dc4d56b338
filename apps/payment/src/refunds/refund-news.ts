/*
 * What the orchestrator is to be told of refunds: those made at the provider, and how far all have got. It takes in a few at a
 * time, and says so when it has stored them.
 *
 * E2  A change stays here, in the list of what is untold, until it has been taken in: it is told at least once. The number of
 *     the change says which one is later, so that twice or late does no harm.
 */
import type { OrderId } from '@holdfast/participant';
import { type Query, statement } from '@holdfast/postgres';

export interface RefundChange extends OrderId {
  refundId: string;
  origin: 'api' | 'provider';
  amount: number;
  currency: string;
  state: 'pending' | 'succeeded' | 'failed';
  reason: string | null;
  revision: number;
  createdAt: Date;
}

const findUntold = statement(
  'payment.untold-refunds',
  `select f.tenant_id as "tenantId", f.order_id as "orderId", f.refund_id as "refundId", f.origin, f.amount, c.currency,
          f.state, f.reason, f.revision, f.created_at as "createdAt"
     from refunds f join charges c on c.tenant_id = f.tenant_id and c.order_id = f.order_id
    where f.told < f.revision and f.origin <> 'undo' and f.state in ('pending', 'succeeded', 'failed')
    order by f.changed_at limit $1::int`,
);

/** Those that have waited longest first. */
export async function untoldRefunds(db: Query, limit: number): Promise<RefundChange[]> {
  return (await db.query<RefundChange>({ ...findUntold, values: [limit] })).rows;
}

const markTold = statement(
  'payment.mark-refunds-told',
  `update refunds f set told = r.revision
     from unnest($1::text[], $2::text[], $3::text[], $4::int[]) as r (tenant_id, order_id, refund_id, revision)
    where f.tenant_id = r.tenant_id and f.order_id = r.order_id and f.refund_id = r.refund_id and f.told < r.revision`,
);

/** These changes are stored where they were to be told. */
export async function markRefundsTold(
  db: Query,
  told: (OrderId & { refundId: string; revision: number })[],
): Promise<void> {
  await db.query({
    ...markTold,
    values: [
      told.map(({ tenantId }) => tenantId),
      told.map(({ orderId }) => orderId),
      told.map(({ refundId }) => refundId),
      told.map(({ revision }) => revision),
    ],
  });
}
