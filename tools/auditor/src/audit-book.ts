/*
 * The order book as the auditor sees it: what each order should have brought about, and what it is seen to have.
 *
 * It is read before any effect. An order that had ended by then has its effects committed, so that what is read later
 * shows them, even on a system that goes on working; only ended orders are judged.
 */
import { createHash } from 'node:crypto';
import { type Query, statement } from '@holdfast/postgres';
import type { OrderCounts, Tally } from '@holdfast/testing/audit';
import { pagesOf } from '@holdfast/testing/audit';

export interface AuditedOrder {
  id: string;
  /** `one` of each effect, `none` at all, or not judged: running or parked. */
  expects: 'one' | 'none' | 'unjudged';
  currency: string;
  /** What the saga has been told by the reservation of its items; null when it was told nothing. */
  itemsTotal: number | null;
  /** That and the lines beside the items: what the order costs. */
  total: number | null;
  /** What the customer had been shown and differs from what the order costs, in words; null: nothing. */
  notAsShown: string | null;
  /** A digest of the lines that it asked for and the prices that it was told. */
  lines: string;
  byCard: boolean;
  /** What was decided about the payment of an order that is captured when it is dispatched; `at-once` for all others. */
  capture: 'at-once' | 'undecided' | 'captured' | 'not_captured' | 'released' | 'open';
  /** By how many decisions that is known. */
  decisions: number;
  /** What its customer owes for it, in minor units: less than the total where less was captured, 0 while nothing was. */
  owed: number;
  /** What the saga has been told, null where nothing. */
  reservationId: string | null;
  paymentId: string | null;
  shipmentId: string | null;

  /** What is seen of it, in minor units where it is money. */
  isHeld: boolean;
  isFulfilled: boolean;
  hasCharge: boolean;
  chargeState: ChargeState | null;
  /** By payment's books, where its charge is captured. */
  captured: number;
  debited: number;
  credited: number;
  cardNet: number;
  liveIntents: number;
  shippedBy: 'nobody' | 'us' | 'carrier';
  isDispatched: boolean;
  bookedAtCarrier: boolean;
  /** By id: what the API was asked to give back. */
  refunds: Map<string, BookedRefund>;
  /** Those of them that payment knows. */
  refundRows: Set<string>;
  /** What payment's refunds have given back by its snapshot, whoever made them; of that, what was made at the provider. */
  givenBack: number;
  givenElsewhere: number;
  /** What is set aside for refunds that have not ended. */
  underWay: number;
  /** What the provider's ledger shows of refunds that were made there, whether they are known to payment or not. */
  refundedElsewhere: number;
}

/** Of payment's charges. */
export type ChargeState =
  | 'created'
  | 'authorized'
  | 'capturing'
  | 'expired'
  | 'captured'
  | 'refused'
  | 'undoing'
  | 'refunded'
  | 'cancelled';

/** A refund that the API made, as the order book knows it. */
export interface BookedRefund {
  orderId: string;
  amount: number;
  /** `open`: its saga has not ended, or waits for an operator. */
  expects: 'given' | 'not_given' | 'open';
  /** How many pieces it brings back to stock. */
  restocks: number;
}

/** By tenant and order. */
export type Book = Map<string, AuditedOrder>;

export function bookKey(tenantId: string, orderId: string): string {
  return `${tenantId}:${orderId}`;
}

export interface Line {
  sku: string;
  quantity: number;
  unitPrice: number | null;
}

/** Stands for the lines in any order. */
export function digestOf(lines: Line[]): string {
  const texts = lines.map(({ sku, quantity, unitPrice }) => `${sku} ${quantity} ${unitPrice}`).sort();
  return createHash('sha1').update(texts.join('\n')).digest('base64');
}

interface OrderRow {
  id: string;
  tenantId: string;
  state: string | null;
  sameTenant: boolean;
  currency: string;
  method: string;
  capturesLater: boolean;
  decision: 'capture' | 'release' | null;
  decisions: number;
  decisionState: string | null;
  capturedBy: { status: string; amount: number } | null;
  items: { sku: string; quantity: number; unitPrice?: number }[];
  beside: { amount: number }[] | null;
  expectedTotal: number | null;
  outputs: {
    'reserve-inventory'?: { reservationId: string; total: number; unitPrices: Record<string, number> };
    'charge-payment'?: { paymentId: string };
    'create-shipment'?: { shipmentId: string };
  };
}

const ORDERS = statement(
  'audit.orders',
  `select o.id, o.tenant_id as "tenantId", s.state, s.outputs, s.input->>'currency' as currency,
          s.input->'payment'->>'method' as method, s.input->'items' as items, s.input->'lines' as beside,
          (s.input->>'expectedTotal')::bigint as "expectedTotal",
          s.input->>'tenantId' = o.tenant_id as "sameTenant",
          (s.input->'payment'->>'capture' = 'on_dispatch') is true as "capturesLater",
          t.kind as decision, coalesce(t.number, 0) as decisions, d.state as "decisionState",
          d.outputs->'capture-payment' as "capturedBy"
     from (select id, tenant_id from orders where id > $1::text order by id limit $2::integer) o
     left join holdfast.sagas s on s.id = o.id
     left join lateral (select * from order_settlements t where t.order_id = o.id order by t.number desc limit 1) t on true
     left join holdfast.sagas d on d.id = t.saga_id
    order by o.id`,
);

const LONE_SAGAS = statement(
  'audit.lone-sagas',
  `select s.id from holdfast.sagas s left join orders o on o.id = s.id
    where s.definition = 'place-order' and s.id > $1::text and o.id is null order by s.id limit $2::integer`,
);

/** @param check gets orders without a saga, sagas without an order, and orders that have not ended */
export async function readBook(
  db: Query,
  check: Tally,
  counts: OrderCounts,
  options: { allowRunning: boolean },
): Promise<Book> {
  const book: Book = new Map();
  for await (const page of pagesOf<OrderRow>(db, ORDERS, 1, (row) => [row.id])) {
    for (const row of page) {
      if (row.state === null) {
        check.violation(row.id, 'was accepted and has no saga: nothing will ever drive it');
        continue;
      }
      if (!row.sameTenant) check.violation(row.id, 'belongs to another tenant than its saga');
      const order = auditedOrder(row);
      const ended = countState(counts, shownState(row));
      if (order.capture === 'open' && row.decisionState !== 'parked' && !options.allowRunning) {
        check.violation(row.id, `has not ended: its ${row.decision} is ${row.decisionState}`);
      }
      if (!ended && !options.allowRunning && order.capture !== 'open')
        check.violation(row.id, `has not ended: its saga is ${row.state}`);
      book.set(bookKey(row.tenantId, row.id), order);
    }
    check.look(page.length);
  }
  for await (const page of pagesOf<{ id: string }>(db, LONE_SAGAS, 1, (row) => [row.id])) {
    for (const { id } of page) check.violation(id, 'has a saga and is not in the order book');
  }
  return book;
}

/** @returns whether it has ended or waits for an operator */
function countState(counts: OrderCounts, state: string): boolean {
  const isRunning = state === 'running' || state === 'waiting' || state === 'compensating';
  counts[isRunning ? 'running' : (state as keyof OrderCounts)] += 1;
  return !isRunning;
}

/** As the API shows it: one that was released after it had been completed is cancelled. */
function shownState({ state, decision, decisionState }: OrderRow): string {
  if (state === 'completed' && decision === 'release') {
    return decisionState === 'completed' ? 'cancelled' : decisionState === 'parked' ? 'parked' : 'compensating';
  }
  return state ?? 'running';
}

function captureOf({ capturesLater, decision, decisionState, capturedBy }: OrderRow): AuditedOrder['capture'] {
  if (!capturesLater) return 'at-once';
  if (decision === null) return 'undecided';
  if (decision === 'release') return decisionState === 'completed' ? 'released' : 'open';
  if (decisionState === 'completed') return capturedBy?.status === 'captured' ? 'captured' : 'not_captured';
  return decisionState === 'failed' || decisionState === 'cancelled' ? 'not_captured' : 'open';
}

function expectationOf({ state }: OrderRow, capture: AuditedOrder['capture']): AuditedOrder['expects'] {
  if (state === 'failed' || state === 'cancelled' || capture === 'released') return 'none';
  return state === 'completed' && capture !== 'open' ? 'one' : 'unjudged';
}

function auditedOrder(row: OrderRow): AuditedOrder {
  const reserved = row.outputs['reserve-inventory'];
  const lines = row.items.map((item) => ({ ...item, unitPrice: reserved?.unitPrices[item.sku] ?? null }));
  const beside = row.beside?.reduce((sum, { amount }) => sum + amount, 0) ?? 0;
  const total = reserved === undefined ? null : reserved.total + beside;
  const capture = captureOf(row);
  const owed = capture === 'at-once' ? (total ?? 0) : capture === 'captured' ? (row.capturedBy?.amount ?? 0) : 0;
  return {
    id: row.id,
    expects: expectationOf(row, capture),
    ...{ capture, decisions: row.decisions, owed },
    currency: row.currency,
    itemsTotal: reserved?.total ?? null,
    total,
    notAsShown: total === null ? null : notAsShown(row, lines, total),
    lines: digestOf(lines),
    byCard: row.method !== 'balance',
    reservationId: reserved?.reservationId ?? null,
    paymentId: row.outputs['charge-payment']?.paymentId ?? null,
    shipmentId: row.outputs['create-shipment']?.shipmentId ?? null,
    isHeld: false,
    isFulfilled: false,
    hasCharge: false,
    chargeState: null,
    captured: 0,
    debited: 0,
    credited: 0,
    cardNet: 0,
    liveIntents: 0,
    shippedBy: 'nobody',
    isDispatched: false,
    bookedAtCarrier: false,
    refunds: new Map(),
    refundRows: new Set(),
    givenBack: 0,
    givenElsewhere: 0,
    underWay: 0,
    refundedElsewhere: 0,
  };
}

function notAsShown({ items, expectedTotal }: OrderRow, lines: Line[], total: number): string | null {
  const differing = items.flatMap(({ sku, unitPrice: shown }, at) => {
    const price = lines[at]?.unitPrice;
    return shown === undefined || shown === price ? [] : [`${sku} was shown for ${shown} and sold for ${price}`];
  });
  if (expectedTotal !== null && expectedTotal !== total)
    differing.push(`${expectedTotal} was shown as its total ${total}`);
  if (total < 0) differing.push(`its total is ${total}`);
  return differing.length === 0 ? null : differing.join('; ');
}

const KNOWN_ORDERS = statement(
  'audit.known-orders',
  `select tenant_id as "tenantId", id from orders where id = any($1::text[])`,
);
const LOOK_UP_SIZE = 1_000;

/** Effects of orders that were not in the book when it was read. */
export interface Stranger {
  tenantId: string;
  orderId: string;
  check: Tally;
  detail: string;
  /** Called when nobody has accepted such an order. */
  confirmed?: () => void;
}

/** Orders may have been accepted since the book was read: looks them up, and reports those that nobody knows. */
export async function judgeStrangers(db: Query, strangers: Stranger[]): Promise<void> {
  for (let from = 0; from < strangers.length; from += LOOK_UP_SIZE) {
    const batch = strangers.slice(from, from + LOOK_UP_SIZE);
    const { rows } = await db.query<{ tenantId: string; id: string }>({
      ...KNOWN_ORDERS,
      values: [batch.map(({ orderId }) => orderId)],
    });
    const known = new Set(rows.map((row) => bookKey(row.tenantId, row.id)));
    for (const { tenantId, orderId, check, detail, confirmed } of batch) {
      if (known.has(bookKey(tenantId, orderId))) continue;
      check.violation(orderId, `${detail} for an order that nobody has accepted`);
      confirmed?.();
    }
  }
}
