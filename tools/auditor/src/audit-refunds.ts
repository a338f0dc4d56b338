/*
 * What was given back of completed orders: each refund's saga against payment's row, and the sum against what was captured.
 *
 * An order that has completed goes on: it can be refunded while the books are read. What payment's snapshot shows is what its
 * accounts and charges are compared with. The provider's ledger is read later, and may show refunds that were begun since: those
 * have a row in payment by then, which is looked up when something differs (judgeLateRefunds).
 */
import { type Query, statement } from '@holdfast/postgres';
import { pagesOf, type Tally } from '@holdfast/testing/audit';
import { type AuditedOrder, type Book, type BookedRefund, bookKey } from './audit-book.ts';
import type { Doubt } from './decisions/doubts.ts';

interface BookedRow {
  id: string;
  orderId: string;
  tenantId: string;
  origin: 'api' | 'provider';
  amount: number;
  lines: { quantity: number; restock: boolean }[];
  state: string | null;
  given: string | null;
}

const REFUNDS = statement(
  'audit.refunds',
  `select f.id, f.order_id as "orderId", f.tenant_id as "tenantId", f.origin, f.amount, f.lines, s.state,
          s.outputs -> 'refund-payment' ->> 'status' as given
     from (select * from order_refunds where (order_id, id) > ($1::text, $2::text) order by order_id, id limit $3::integer) f
     left join holdfast.sagas s on s.id = f.id and f.origin = 'api'
    order by f.order_id, f.id`,
);

/** @param check gets refunds without a saga */
export async function readRefundBook(db: Query, book: Book, check: Tally): Promise<void> {
  for await (const page of pagesOf<BookedRow>(db, REFUNDS, 2, (row) => [row.orderId, row.id])) {
    for (const row of page) {
      // Those of the provider are payment's to know: what is said of them here follows.
      if (row.origin === 'provider') continue;
      const order = book.get(bookKey(row.tenantId, row.orderId));
      if (row.state === null) check.violation(row.id, 'was accepted and has no saga: nothing will ever drive it');
      if (order === undefined) {
        check.violation(row.id, `is a refund of order ${row.orderId}, which is not in the order book`);
        continue;
      }
      order.refunds.set(row.id, bookedRefund(row));
    }
    check.look(page.length);
  }
}

function bookedRefund({ orderId, amount, lines, state, given }: BookedRow): BookedRefund {
  const restocks = lines.reduce((sum, line) => (line.restock ? sum + line.quantity : sum), 0);
  const isNot = state === 'failed' || state === 'cancelled' || (state === 'completed' && given !== 'succeeded');
  const expects = isNot ? 'not_given' : state === 'completed' ? 'given' : 'open';
  return { orderId, amount, expects, restocks };
}

interface RefundRow {
  tenantId: string;
  orderId: string;
  refundId: string;
  origin: 'api' | 'undo' | 'provider';
  amount: number;
  state: 'reserved' | 'pending' | 'succeeded' | 'failed' | 'released';
}

const ROWS = statement(
  'audit.payment-refunds',
  `select tenant_id as "tenantId", order_id as "orderId", refund_id as "refundId", origin, amount, state
     from refunds where (tenant_id, order_id, refund_id) > ($1::text, $2::text, $3::text)
    order by tenant_id, order_id, refund_id limit $4::integer`,
);

/** The orders of refunds that accounts have entries of, by tenant and refund. */
export type RefundOwners = Map<string, string>;

/** @param db payment's snapshot, the one that its charges and entries are read from */
export async function readPaymentRefunds(
  db: Query,
  { book, doubts }: { book: Book; doubts: Doubt[] },
  check: Tally,
): Promise<RefundOwners> {
  const owners: RefundOwners = new Map();
  const cursor = (row: RefundRow) => [row.tenantId, row.orderId, row.refundId];
  for await (const page of pagesOf<RefundRow>(db, ROWS, 3, cursor)) {
    for (const row of page) {
      owners.set(bookKey(row.tenantId, row.refundId), row.orderId);
      const order = book.get(bookKey(row.tenantId, row.orderId));
      doubtRow(row, order, doubts);
      if (order !== undefined) addRow(order, row, check);
    }
    check.look(page.length);
  }
  for (const order of book.values()) judgeRefundsOf(order, check);
  return owners;
}

/** One of the API that the book does not have: accepted since, or never. */
function doubtRow(row: RefundRow, order: AuditedOrder | undefined, doubts: Doubt[]): void {
  const { tenantId, orderId, refundId, origin, amount, state } = row;
  if (origin !== 'api' || state === 'released' || order?.refunds.has(refundId)) return;
  const detail = `${amount} are given back by ${refundId} (${state})`;
  doubts.push({ tenantId, orderId, needs: 'refund', refundId, amount, detail });
}

function addRow(order: AuditedOrder, { refundId, origin, amount, state }: RefundRow, check: Tally): void {
  if (state === 'succeeded') order.givenBack += amount;
  if (state === 'succeeded' && origin === 'provider') order.givenElsewhere += amount;
  if (state === 'reserved' || state === 'pending') order.underWay += amount;
  const booked = order.refunds.get(refundId);
  if (booked === undefined) return;
  order.refundRows.add(refundId);
  if (booked.amount !== amount) check.violation(refundId, `is one of ${booked.amount}, payment has ${amount}`);
  const live = state === 'reserved' || state === 'pending' || state === 'succeeded';
  // One that was given may have failed at the provider since: then nothing was given back after all, and both say so.
  if (booked.expects === 'given' && (state === 'reserved' || state === 'pending' || state === 'released')) {
    check.violation(refundId, `has succeeded, and payment says that it is ${state}`);
  }
  if (booked.expects === 'not_given' && live) {
    check.violation(refundId, `has failed, and payment says that it is ${state}`);
  }
}

function judgeRefundsOf(order: AuditedOrder, check: Tally): void {
  for (const [refundId, { expects, amount }] of order.refunds) {
    if (expects === 'given' && !order.refundRows.has(refundId)) {
      check.violation(refundId, `has given ${amount} back, and payment does not know of it`);
    }
  }
}

const AGAIN = statement(
  'audit.refunds-again',
  `select tenant_id as "tenantId", order_id as "orderId", sum(amount)::bigint as amount
     from refunds where order_id = any($1::text[]) and (state in ('reserved', 'pending', 'succeeded') or attempts > 0)
    group by tenant_id, order_id`,
);
const LOOK_UP_SIZE = 1_000;

/** An order of which the provider has given back more than payment's snapshot shows. */
export interface LateRefund {
  tenantId: string;
  order: AuditedOrder;
  /** By how much. */
  more: number;
  /** Called where no refund explains it. */
  unexplained: () => void;
}

/** Refunds may have been begun since payment was read, each with its row before the provider was asked: looks them up. */
export async function judgeLateRefunds(db: Query, late: LateRefund[]): Promise<void> {
  for (let from = 0; from < late.length; from += LOOK_UP_SIZE) {
    const batch = late.slice(from, from + LOOK_UP_SIZE);
    const { rows } = await db.query<{ tenantId: string; orderId: string; amount: number }>({
      ...AGAIN,
      values: [batch.map(({ order }) => order.id)],
    });
    const sums = new Map(rows.map((row) => [bookKey(row.tenantId, row.orderId), row.amount]));
    for (const { tenantId, order, more, unexplained } of batch) {
      const known = sums.get(bookKey(tenantId, order.id)) ?? 0;
      if (known - order.givenBack < more) unexplained();
    }
  }
}
