/*
 * A1  What was given back, released, brought back or sent although no saga decided it. Participants are read after the order
 *     book, and sagas go on meanwhile; so what looks undecided is doubted first, and judged by a second look at the sagas. A
 *     decision is durable before the call that follows from it (S2, S3): one that the second look does not find was never made.
 */
import { type Query, statement } from '@holdfast/postgres';
import type { Tally } from '@holdfast/testing/audit';

/** An effect that needs a decision which the order book did not show. */
export type Doubt = { tenantId: string; orderId: string; detail: string } & (
  | { needs: 'turned_back' }
  | { needs: 'completed' }
  /** Of an order that is captured when it is dispatched. */
  | { needs: 'captured' }
  /** A refund that the API has accepted, of this amount, or of this many pieces. */
  | { needs: 'refund'; refundId: string; amount?: number; pieces?: number }
  /** A refund, whichever it is, that brings goods back. */
  | { needs: 'return' }
);

interface SagaRow {
  tenantId: string;
  id: string;
  state: string | null;
  resumeState: string | null;
  brings: boolean;
  /** It was cancelled after it had been completed. */
  released: boolean;
  captured: boolean;
}

const ORDERS = statement(
  'audit.decided-orders',
  `select o.tenant_id as "tenantId", o.id, s.state, s.resume_state as "resumeState",
          exists (select from order_refunds f where f.order_id = o.id and (f.tenant_id = o.tenant_id) is true
                     and f.lines @> '[{"restock": true}]') as brings,
          exists (select from order_settlements t where t.order_id = o.id and t.kind = 'release') as released,
          exists (select from order_settlements t join holdfast.sagas c on c.id = t.saga_id
                   where t.order_id = o.id and c.outputs->'capture-payment'->>'status' = 'captured') as captured
     from orders o left join holdfast.sagas s on s.id = o.id where o.id = any($1::text[])`,
);

interface RefundRow {
  tenantId: string;
  orderId: string;
  id: string;
  amount: number;
  lines: { quantity: number; restock: boolean }[];
}

const REFUNDS = statement(
  'audit.decided-refunds',
  `select tenant_id as "tenantId", order_id as "orderId", id, amount, lines
     from order_refunds where order_id = any($1::text[]) and origin = 'api'`,
);
const LOOK_UP_SIZE = 1_000;

/** @param db the orchestrator's, in a snapshot that was begun after everything else had been read */
export async function judgeDoubts(db: Query, doubts: Doubt[], check: Tally): Promise<void> {
  check.look(doubts.length);
  for (let from = 0; from < doubts.length; from += LOOK_UP_SIZE) {
    const batch = doubts.slice(from, from + LOOK_UP_SIZE);
    const values = [[...new Set(batch.map(({ orderId }) => orderId))]];
    const orders = (await db.query<SagaRow>({ ...ORDERS, values })).rows;
    const refunds = (await db.query<RefundRow>({ ...REFUNDS, values })).rows;
    for (const doubt of batch) {
      const order = orders.find(({ tenantId, id }) => tenantId === doubt.tenantId && id === doubt.orderId);
      // Nobody has accepted it: told as such by judgeStrangers, where it is live.
      if (order === undefined || isDecided(doubt, order, refunds)) continue;
      check.violation(doubt.orderId, `${doubt.detail}, which no saga of it has decided`);
    }
  }
}

function isDecided(
  doubt: Doubt,
  { state, resumeState, brings, released, captured }: SagaRow,
  refunds: RefundRow[],
): boolean {
  if (doubt.needs === 'completed') return state === 'completed';
  if (doubt.needs === 'captured') return captured;
  if (doubt.needs === 'return') return brings;
  if (doubt.needs === 'turned_back') {
    const turned = state === 'parked' ? resumeState : state;
    return released || turned === 'compensating' || turned === 'failed' || turned === 'cancelled';
  }
  const { refundId, amount, pieces, tenantId, orderId } = doubt;
  const found = refunds.find((row) => row.id === refundId && row.tenantId === tenantId && row.orderId === orderId);
  if (found === undefined) return false;
  const brought = found.lines.reduce((sum, line) => (line.restock ? sum + line.quantity : sum), 0);
  return (amount ?? found.amount) === found.amount && (pieces ?? brought) === brought;
}
