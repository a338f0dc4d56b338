import { type Pool, type Statement, statement } from '@holdfast/postgres';
import type { FastifyInstance } from 'fastify';
import { pageOf, readPage } from '../api/paging.ts';

/**
 * What really happened, for the auditor: sums over the append-only ledger, and every reference the carrier knows.
 * Pages follow the primary key, so that whatever was committed before the first page was asked for is on one of them.
 */

// `captures` is counted, not assumed: more than one would be a card charged twice.
const PAYMENTS = statement(
  'sandbox.ledger-payments',
  `select i.intent_id as "paymentIntentId", i.metadata->>'order_id' as "orderId",
          i.metadata->>'tenant_id' as "tenantId", i.currency, i.status, i.amount, l.captured, l.refunded, l."refundedElsewhere",
          l.disputed, l.disputes, l.captures,
          i.created_at as "createdAt"
     from (select * from payment_intents where intent_id > $1::text order by intent_id limit $2::int) i
    cross join lateral (
      select coalesce(sum(e.amount) filter (where e.kind = 'captured'), 0)::bigint as captured,
             coalesce(sum(case e.kind when 'refunded' then e.amount when 'refund_failed' then -e.amount end), 0)::bigint
               as refunded,
             coalesce(sum(case e.kind when 'refunded' then e.amount when 'refund_failed' then -e.amount end)
                      filter (where not r.metadata ? 'refund_id'), 0)::bigint as "refundedElsewhere",
             coalesce(sum(case e.kind when 'disputed' then e.amount when 'dispute_won' then -e.amount end), 0)::bigint
               as disputed,
             count(*) filter (where e.kind = 'disputed') as disputes,
             count(*) filter (where e.kind = 'captured') as captures
        from ledger e left join refunds r on r.intent_id = e.intent_id and r.refund_id = e.entry_id
       where e.intent_id = i.intent_id) l
    order by i.intent_id`,
);
const SHIPMENTS = statement(
  'sandbox.ledger-shipments',
  `select reference, shipment_id as "shipmentId", status, created_at as "createdAt"
     from shipments where reference > $1::text order by reference limit $2::int`,
);

interface PaymentEntry {
  paymentIntentId: string;
  orderId: string | null;
  tenantId: string | null;
  /** ISO 4217 in lower case, as the payment API has it. */
  currency: string;
  status: string;
  /** Minor units, as are `captured`, `refunded` (without what is pending or has failed) and `disputed` (and not won). */
  amount: number;
  captured: number;
  refunded: number;
  /** Of that, what nobody has named a refund of their own for: made by hand. */
  refundedElsewhere: number;
  disputed: number;
  /** How often it was disputed, whatever came of it. */
  disputes: number;
  captures: number;
  createdAt: Date;
}
interface ShipmentEntry {
  reference: string;
  /** Null when nothing was ever booked. */
  shipmentId: string | null;
  status: 'booked' | 'cancelled' | 'refused';
  createdAt: Date;
}

export function ledgerRoutes(app: FastifyInstance, pool: Pool): void {
  paged<PaymentEntry>(app, pool, '/ledger/payments', PAYMENTS, 'payments', (entry) => entry.paymentIntentId);
  paged<ShipmentEntry>(app, pool, '/ledger/shipments', SHIPMENTS, 'shipments', (entry) => entry.reference);
}

function paged<T extends object>(
  app: FastifyInstance,
  pool: Pool,
  path: string,
  query: Statement,
  member: string,
  cursorOf: (entry: T) => string,
): void {
  app.get(path, async (request, reply) => {
    const page = readPage(request.query);
    if (page.kind === 'invalid') return reply.code(400).send({ code: 'INVALID_REQUEST', message: page.message });
    const { rows } = await pool.query<T>({ ...query, values: [page.cursor, page.limit + 1] });
    const { items, nextCursor } = pageOf(rows, page.limit, cursorOf);
    return { [member]: items, nextCursor };
  });
}
