/** What the outside world says: the card provider's ledger, the carrier's, and shipping's own rows beside it. */
import { type Query, statement } from '@holdfast/postgres';
import type { Tally } from '@holdfast/testing/audit';
import { ledgerPages, pagesOf } from '@holdfast/testing/audit';
import { type Book, bookKey, type Stranger } from './audit-book.ts';
import type { Sums } from './audit-sums.ts';
import type { Prover } from './decisions/adjustments.ts';
import type { Doubt } from './decisions/doubts.ts';

interface PaymentEntry {
  paymentIntentId: string;
  orderId: string | null;
  tenantId: string | null;
  /** In lower case. */
  currency: string;
  /** Minor units, as is `refunded`. */
  captured: number;
  refunded: number;
  /** Of that, what was refunded there by hand. */
  refundedElsewhere: number;
  captures: number;
}

/** Every payment intent that the provider knows, captured or not. */
export async function auditProvider(
  sandboxUrl: string,
  { book, check, strangers, sums }: { book: Book; check: Tally; strangers: Stranger[]; sums: Sums },
): Promise<void> {
  for await (const page of ledgerPages<PaymentEntry>(sandboxUrl, '/ledger/payments', 'payments')) {
    for (const entry of page) judgeIntent(entry, book, check, strangers, sums);
    check.look(page.length);
  }
}

function judgeIntent(entry: PaymentEntry, book: Book, check: Tally, strangers: Stranger[], sums: Sums): void {
  const { paymentIntentId, tenantId, orderId, captures } = entry;
  const currency = entry.currency.toUpperCase();
  const net = entry.captured - entry.refunded;
  const subject = orderId ?? paymentIntentId;
  if (captures > 1) check.violation(subject, `${paymentIntentId} was captured ${captures} times`);
  if (net < 0) check.violation(subject, `${paymentIntentId} gave back ${-net} more than it took`);
  const known = tenantId === null || orderId === null ? undefined : book.get(bookKey(tenantId, orderId));
  if (known !== undefined) known.refundedElsewhere += entry.refundedElsewhere ?? 0;
  if (entry.captured === 0) return;
  if (net === 0 && known?.expects !== 'one') return;
  const paid = () => sums.add(currency, 'provider', net);
  if (tenantId === null || orderId === null) {
    check.violation(subject, `${paymentIntentId} took ${net} ${currency} for no order`);
    paid();
    return;
  }
  const order = known;
  if (order === undefined) {
    const detail = `${paymentIntentId} took ${net} ${currency}`;
    strangers.push({ tenantId, orderId, check, detail, confirmed: paid });
    return;
  }
  order.cardNet += net;
  order.liveIntents += 1;
  if (order.expects === 'unjudged') return;
  paid();
  if (order.expects === 'none') check.violation(orderId, `is turned back and ${paymentIntentId} still took ${net}`);
  if (order.expects === 'one' && order.currency !== currency) {
    check.violation(orderId, `is in ${order.currency}, ${paymentIntentId} took ${net} ${currency}`);
  }
  if (order.expects === 'one' && order.paymentId !== paymentIntentId) {
    check.violation(orderId, `was told payment ${order.paymentId}, and ${paymentIntentId} took ${net}`);
  }
}

interface ShipmentRow {
  tenantId: string;
  orderId: string;
  shipmentId: string | null;
  carrier: boolean;
  state: 'requested' | 'booked' | 'refused' | 'cancelled' | 'dispatched';
  isWithheld: boolean;
  dispatchKey: string | null;
}

const SHIPMENTS = statement(
  'audit.shipments',
  `select tenant_id as "tenantId", order_id as "orderId", shipment_id as "shipmentId", carrier, state,
          withheld_at is not null as "isWithheld", dispatch_key as "dispatchKey"
     from shipments where (tenant_id, order_id) > ($1::text, $2::text)
    order by tenant_id, order_id limit $3::integer`,
);

/**
 * Shipping's rows. To be read before the carrier's ledger: what is booked here is booked there by then. And after inventory's:
 * what is fulfilled there is dispatched here by then.
 */
export async function auditShipments(
  db: Query,
  audited: { book: Book; check: Tally; strangers: Stranger[]; doubts: Doubt[]; decisions: Tally; prover: Prover },
): Promise<void> {
  const { book, check, strangers } = audited;
  const cursor = (row: ShipmentRow) => [row.tenantId, row.orderId];
  for await (const page of pagesOf<ShipmentRow>(db, SHIPMENTS, 2, cursor)) {
    for (const row of page) {
      judgeShipment(row, book, check, strangers);
      doubtShipment(row, audited);
    }
    check.look(page.length);
    audited.decisions.look(page.length);
  }
}

function judgeShipment(row: ShipmentRow, book: Book, check: Tally, strangers: Stranger[]): void {
  const { tenantId, orderId, state } = row;
  const isShipped = state === 'booked' || state === 'dispatched';
  // Requested: the carrier may have booked it, and nobody has asked since.
  const isLive = isShipped || state === 'requested';
  const order = book.get(bookKey(tenantId, orderId));
  if (order === undefined) {
    if (isLive) strangers.push({ tenantId, orderId, check, detail: `a shipment is ${state}` });
    return;
  }
  if (isLive && order.expects === 'none') check.violation(orderId, `is turned back and its shipment is ${state}`);
  if (!isShipped) return;
  order.isDispatched = state === 'dispatched';
  order.shippedBy = row.carrier ? 'carrier' : 'us';
  if (order.expects === 'one' && order.shipmentId !== row.shipmentId) {
    check.violation(orderId, `was told shipment ${order.shipmentId}, shipping has ${row.shipmentId}`);
  }
}

/** What was sent, withheld or cancelled: who has decided it? */
function doubtShipment(
  { tenantId, orderId, state, isWithheld, dispatchKey }: ShipmentRow,
  { book, doubts, decisions, prover }: { book: Book; doubts: Doubt[]; decisions: Tally; prover: Prover },
): void {
  const { expects, capture = 'at-once' } = book.get(bookKey(tenantId, orderId)) ?? {};
  if (isWithheld) doubts.push({ tenantId, orderId, needs: 'return', detail: 'its shipment is kept from leaving' });
  if (state === 'cancelled' && expects === 'unjudged') {
    doubts.push({ tenantId, orderId, needs: 'turned_back', detail: 'its shipment is cancelled' });
  }
  if (state !== 'dispatched') return;
  if (expects === 'unjudged') doubts.push({ tenantId, orderId, needs: 'completed', detail: 'its shipment has left' });
  // M1: captured before its parcel leaves.
  if (capture !== 'at-once' && capture !== 'captured') {
    doubts.push({ tenantId, orderId, needs: 'captured', detail: 'its shipment has left and nothing was captured' });
  }
  if (dispatchKey === null || dispatchKey !== prover.dispatch({ tenantId, orderId })) {
    decisions.violation(orderId, 'its shipment has left, and no key of the orchestrator stands for that');
  }
}

interface CarrierEntry {
  /** `<tenant>:<order>` */
  reference: string;
  shipmentId: string | null;
  status: 'booked' | 'cancelled' | 'refused';
}

/** Every reference that the carrier knows. */
export async function auditCarrier(
  sandboxUrl: string,
  { book, check, strangers }: { book: Book; check: Tally; strangers: Stranger[] },
): Promise<void> {
  for await (const page of ledgerPages<CarrierEntry>(sandboxUrl, '/ledger/shipments', 'shipments')) {
    for (const entry of page) judgeBooking(entry, book, check, strangers);
    check.look(page.length);
  }
}

function judgeBooking(entry: CarrierEntry, book: Book, check: Tally, strangers: Stranger[]): void {
  if (entry.status !== 'booked') return;
  const colon = entry.reference.indexOf(':');
  const [tenantId, orderId] = [entry.reference.slice(0, colon), entry.reference.slice(colon + 1)];
  const detail = `${entry.shipmentId} is booked`;
  if (colon === -1) {
    check.violation(entry.reference, `${detail} for no order`);
    return;
  }
  const order = book.get(bookKey(tenantId, orderId));
  if (order === undefined) {
    strangers.push({ tenantId, orderId, check, detail });
    return;
  }
  order.bookedAtCarrier = true;
  if (order.expects === 'none') check.violation(orderId, `is turned back and ${detail}`);
  if (order.expects === 'one' && order.shipmentId !== entry.shipmentId) {
    check.violation(orderId, `was told shipment ${order.shipmentId}, and ${detail}`);
  }
}
