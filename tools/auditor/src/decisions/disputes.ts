/* Disputes: what payment says that it has told is what the orders show. What it has not told yet is on its way. */
import { type Query, statement } from '@holdfast/postgres';
import { pagesOf, type Tally } from '@holdfast/testing/audit';

export interface ToldDispute {
  tenantId: string;
  orderId: string;
  disputeId: string;
  amount: number;
  status: string;
  told: number;
  revision: number;
}

const TOLD = statement(
  'audit.told-disputes',
  `select tenant_id as "tenantId", order_id as "orderId", dispute_id as "disputeId", amount, status, told, revision
     from disputes where (tenant_id, order_id, dispute_id) > ($1::text, $2::text, $3::text)
    order by tenant_id, order_id, dispute_id limit $4::integer`,
);

/** @param db payment's */
export async function readToldDisputes(db: Query): Promise<ToldDispute[]> {
  const told: ToldDispute[] = [];
  const cursor = (row: ToldDispute) => [row.tenantId, row.orderId, row.disputeId];
  for await (const page of pagesOf<ToldDispute>(db, TOLD, 3, cursor)) told.push(...page);
  return told;
}

const SHOWN = statement(
  'audit.shown-disputes',
  `select tenant_id as "tenantId", order_id as "orderId", id as "disputeId", amount, status, revision
     from order_disputes where order_id = any($1::text[])`,
);
const LOOK_UP_SIZE = 1_000;

/** @param db the orchestrator's, in a snapshot that was begun after payment had been read */
export async function judgeDisputes(db: Query, disputes: ToldDispute[], check: Tally): Promise<void> {
  check.look(disputes.length);
  for (let from = 0; from < disputes.length; from += LOOK_UP_SIZE) {
    const batch = disputes.slice(from, from + LOOK_UP_SIZE);
    const { rows } = await db.query<Omit<ToldDispute, 'told'>>({
      ...SHOWN,
      values: [batch.map(({ orderId }) => orderId)],
    });
    const shown = new Map(rows.map((row) => [`${row.tenantId} ${row.orderId} ${row.disputeId}`, row]));
    for (const { tenantId, orderId, disputeId, amount, status, told, revision } of batch) {
      const order = shown.get(`${tenantId} ${orderId} ${disputeId}`);
      if ((order?.revision ?? 0) < told) {
        check.violation(orderId, `payment has told of ${disputeId} (${status}), and the order does not show it`);
      } else if (order?.revision === revision && (order.status !== status || order.amount !== amount)) {
        const says = `${order.amount} (${order.status}), payment ${amount} (${status})`;
        check.violation(orderId, `shows ${disputeId} with ${says}`);
      }
    }
  }
}
