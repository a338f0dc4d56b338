/** Rows by hand, as the services write them: sound books, into which a test plants its fault. */
import { type ChangedBook, changeProofParts, dispatchProofParts } from '@holdfast/contracts';
import { createFingerprinter } from '@holdfast/idempotency';
import type { Pool } from '@holdfast/postgres';
import type { TestBooks } from './test-books.ts';

export const TENANT = 'shop';

/** How an order is found in the books. */
export interface PlantedOrder {
  id: string;
  state: 'completed' | 'failed' | 'cancelled' | 'running' | 'parked';
  /** Minor units; two of an item at half of it. */
  total: number;
  pays: 'balance' | 'card';
  ships: 'us' | 'carrier';
  /** Of the total, what is no item's: lines beside them. */
  beside?: number;
  /** By card, completed: it is to be captured at dispatch. */
  isAuthorized?: boolean;
}

/** Writes an order and all that it should have brought about, as the services do. */
export async function plantOrder(books: TestBooks, order: PlantedOrder): Promise<void> {
  await plantSaga(books.pools.orchestrator, order);
  if (order.state === 'running') return;
  await plantReservation(books.pools.inventory, order);
  await plantCharge(books, order);
  await plantShipment(books, order);
}

const SKU = 'tea';
export const CUSTOMER = 'ada';

const SECRET = Buffer.alloc(32, 'secret of planted books');
const { derivedId } = createFingerprinter(SECRET);

/** As the orchestrator of these books makes it. */
export function proofOf(book: ChangedBook, key: string, change: object): string {
  return derivedId(...changeProofParts(book, { tenantId: TENANT, key, change }));
}

export function dispatchKeyOf(orderId: string): string {
  return derivedId(...dispatchProofParts({ tenantId: TENANT, orderId }));
}

/** An item with 100 on hand, and an account with 100,000, both with their entries. */
export async function plantCatalogue(books: TestBooks): Promise<void> {
  await books.pools.orchestrator.query('insert into holdfast.fingerprint_secrets (secret) values ($1)', [SECRET]);
  await books.pools.inventory.query(
    `insert into stock (tenant_id, sku, on_hand, unit_price, currency) values ($1, $2, 100, 250, 'EUR')`,
    [TENANT, SKU],
  );
  await books.pools.inventory.query(
    `insert into stock_entries (tenant_id, sku, entry_key, kind, delta, proof, before, after)
     values ($1, $2, 'first', 'set', 100, $3, '{"onHand":0,"unitPrice":250,"version":0}', '{"onHand":100,"unitPrice":250,"version":1}')`,
    [TENANT, SKU, proofOf('stock', 'first', { onHand: 100, unitPrice: 250 })],
  );
  await books.pools.payment.query(
    `insert into accounts (tenant_id, customer_id, balance, currency) values ($1, $2, 100000, 'EUR')`,
    [TENANT, CUSTOMER],
  );
  await books.pools.payment.query(
    `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta, proof, before, after)
     values ($1, $2, 'first', 'set', 100000, $3, '{"balance":0,"version":0}', '{"balance":100000,"version":1}')`,
    [TENANT, CUSTOMER, proofOf('account', 'first', { balance: 100_000 })],
  );
}

async function plantSaga(pool: Pool, order: PlantedOrder): Promise<void> {
  const { id, state, total, beside = 0 } = order;
  const items = total - beside;
  const input = {
    tenantId: TENANT,
    customerId: CUSTOMER,
    currency: 'EUR',
    items: [{ sku: SKU, quantity: 2 }],
    payment: {
      method: order.pays === 'card' ? 'pm_card_visa' : 'balance',
      ...(order.isAuthorized && { capture: 'on_dispatch' }),
    },
    ...(beside !== 0 && { lines: [{ kind: 'fee', name: 'Fee', amount: beside }], expectedTotal: total }),
  };
  const reserved = { reservationId: `rsv_${id}`, total: items, unitPrices: { [SKU]: items / 2 } };
  const outputs = {
    'reserve-inventory': reserved,
    'charge-payment': { paymentId: paymentIdOf(order) },
    'create-shipment': { shipmentId: `shp_${id}` },
  };
  const parked = state === 'parked' ? JSON.stringify({ step: 'charge-payment', direction: 'undo' }) : null;
  await pool.query(
    `insert into orders (id, tenant_id, customer_id, created_at) values ($1, $2, $3, clock_timestamp())`,
    [id, TENANT, CUSTOMER],
  );
  await pool.query(
    `insert into holdfast.sagas (id, definition, input, state, outputs, owner_id, deadline_at, changed_at, ended_at, parked,
                        resume_state)
     values ($1, 'place-order', $2, $3, $4, 1, clock_timestamp(), clock_timestamp(),
             case when $3 in ('completed', 'failed', 'cancelled') then clock_timestamp() end, $5,
             case when $3 = 'parked' then 'compensating' end)`,
    [id, JSON.stringify(input), state, JSON.stringify(state === 'completed' ? outputs : {}), parked],
  );
}

function paymentIdOf({ id, pays }: PlantedOrder): string {
  return pays === 'card' ? `pi_${id}` : `pay_${id}`;
}

async function plantReservation(pool: Pool, order: PlantedOrder): Promise<void> {
  const { id, state, total: wanted, beside = 0 } = order;
  const total = wanted - beside;
  const isHeld = state === 'completed';
  await pool.query(
    `insert into reservations (tenant_id, order_id, reservation_id, state, currency, total, lines)
     values ($1, $2, $3, $4, 'EUR', $5, $6)`,
    [
      TENANT,
      id,
      `rsv_${id}`,
      isHeld ? 'held' : 'released',
      total,
      JSON.stringify([{ sku: SKU, quantity: 2, unitPrice: total / 2 }]),
    ],
  );
  if (isHeld) await pool.query('update stock set reserved = reserved + 2 where sku = $1', [SKU]);
}

/** Failed: refused, nothing taken. Cancelled and parked: taken and given back. */
async function plantCharge(books: TestBooks, order: PlantedOrder): Promise<void> {
  const { id, state, total, pays, isAuthorized = false } = order;
  const taken = isAuthorized ? 'authorized' : 'captured';
  const chargeState = state === 'completed' ? taken : state === 'failed' ? 'refused' : 'refunded';
  await books.pools.payment.query(
    `insert into charges (tenant_id, order_id, customer_id, method_kind, amount, currency, state, payment_id,
                          refunded_amount, refusal_reason)
     values ($1, $2, $3, $4, $5, 'EUR', $6, $7, $8, $9)`,
    [
      TENANT,
      id,
      CUSTOMER,
      pays,
      total,
      chargeState,
      chargeState === 'refused' ? null : paymentIdOf(order),
      chargeState === 'refunded' ? total : 0,
      chargeState === 'refused' ? 'CARD_DECLINED' : null,
    ],
  );
  if (chargeState === 'refused') return;
  const isGivenBack = chargeState === 'refunded';
  if (isGivenBack) await plantRefundRow(books, { id: 'undo', orderId: id, origin: 'undo', amount: total });
  if (pays === 'balance') {
    await plantEntry(books, id, 'debit', -total);
    if (isGivenBack) await plantEntry(books, id, 'refund', total);
  } else {
    const refunded = isGivenBack ? total : 0;
    await plantIntent(books, { intentId: `pi_${id}`, orderId: id, amount: total, refunded, isAuthorized });
  }
}

/** A refund of an order's charge, as payment has it. */
export async function plantRefundRow(
  books: TestBooks,
  refund: { id: string; orderId: string; origin: 'api' | 'undo' | 'provider'; amount: number; state?: string },
): Promise<void> {
  const { id, orderId, origin, amount, state = 'succeeded' } = refund;
  await books.pools.payment.query(
    `insert into refunds (tenant_id, order_id, refund_id, origin, amount, state) values ($1, $2, $3, $4, $5, $6)`,
    [TENANT, orderId, id, origin, amount, state],
  );
}

/** A refund that the API made and that has succeeded, in all the books. */
export async function plantBookedRefund(
  books: TestBooks,
  refund: { id: string; orderId: string; amount: number; pays: 'balance' | 'card' },
): Promise<void> {
  const { id, orderId, amount, pays } = refund;
  await books.pools.orchestrator.query(
    `insert into order_refunds (id, order_id, tenant_id, origin, amount, currency, created_at)
     values ($1, $2, $3, 'api', $4, 'EUR', clock_timestamp())`,
    [id, orderId, TENANT, amount],
  );
  await books.pools.orchestrator.query(
    `insert into holdfast.sagas (id, definition, input, state, outputs, owner_id, deadline_at, changed_at, ended_at)
     values ($1, 'refund-order', '{}', 'completed', '{"refund-payment": {"status": "succeeded"}}', 1, clock_timestamp(),
             clock_timestamp(), clock_timestamp())`,
    [id],
  );
  await plantRefundRow(books, { id, orderId, origin: 'api', amount });
  await books.pools.payment.query('update charges set refunded_amount = $2 where order_id = $1', [orderId, amount]);
  if (pays === 'card') {
    await books.pools.sandbox.query(
      `insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
       values ($1, $2, 'refunded', $3, 'eur', $4, $5)`,
      [`pi_${orderId}`, `re_${id}`, amount, orderId, TENANT],
    );
    return;
  }
  await books.pools.payment.query(
    `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta) values ($1, $2, $3, 'refund', $4)`,
    [TENANT, CUSTOMER, `${id}:refund-payment`, amount],
  );
  await books.pools.payment.query('update accounts set balance = balance + $1', [amount]);
}

/** An entry of an order's step, with the balance that it changes. */
export async function plantEntry(books: TestBooks, id: string, kind: 'debit' | 'refund', delta: number): Promise<void> {
  const key = `${id}:charge-payment${kind === 'refund' ? ':undo' : ''}`;
  await books.pools.payment.query(
    `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta) values ($1, $2, $3, $4, $5)`,
    [TENANT, CUSTOMER, key, kind, delta],
  );
  await books.pools.payment.query('update accounts set balance = balance + $1', [delta]);
}

/** A payment at the provider, captured and perhaps refunded, in its ledger too; or only authorised, of which that has nothing. */
export async function plantIntent(
  books: TestBooks,
  intent: { intentId: string; orderId: string | null; amount: number; refunded: number; isAuthorized?: boolean },
): Promise<void> {
  const { intentId, orderId, amount, refunded, isAuthorized = false } = intent;
  const metadata = orderId === null ? {} : { order_id: orderId, tenant_id: TENANT };
  await books.pools.sandbox.query(
    `insert into payment_intents (intent_id, version, amount, currency, status, amount_received, amount_refunded, metadata,
                                  created_at, capture_method, amount_capturable)
     values ($1, 1, $2, 'eur', $5, $6, $3, $4, clock_timestamp(), $7, $8)`,
    [
      ...[intentId, amount, refunded, JSON.stringify(metadata)],
      ...(isAuthorized ? ['requires_capture', 0, 'manual', amount] : ['succeeded', amount, 'automatic', 0]),
    ],
  );
  if (isAuthorized) return;
  const entry = `insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
                 values ($1, $2, $3, $4, 'eur', $5, $6)`;
  await books.pools.sandbox.query(entry, [intentId, `ch_${intentId}`, 'captured', amount, orderId, TENANT]);
  if (refunded === 0) return;
  await books.pools.sandbox.query(entry, [intentId, `re_${intentId}`, 'refunded', refunded, orderId, TENANT]);
}

async function plantShipment(books: TestBooks, { id, state, ships }: PlantedOrder): Promise<void> {
  // Turned back before it was to be shipped.
  if (state === 'failed') return;
  const isBooked = state === 'completed';
  await books.pools.shipping.query(
    `insert into shipments (tenant_id, order_id, shipment_id, carrier, state, ship_to, parcels, cancelled_at)
     values ($1, $2, $3, $4, $5, '{}', '[]', case when $5 = 'cancelled' then clock_timestamp() end)`,
    [TENANT, id, `shp_${id}`, ships === 'carrier', isBooked ? 'booked' : 'cancelled'],
  );
  if (ships === 'carrier') await plantBooking(books, `${TENANT}:${id}`, `shp_${id}`, isBooked);
}

/** A reference at the carrier, booked or cancelled. */
export async function plantBooking(
  books: TestBooks,
  reference: string,
  shipmentId: string,
  isBooked = true,
): Promise<void> {
  await books.pools.sandbox.query(
    `insert into shipments (reference, shipment_id, tracking_number, status, cancelled_at)
     values ($1, $2, $3, $4, case when $4 = 'cancelled' then clock_timestamp() end)`,
    [reference, shipmentId, `HF${shipmentId}`, isBooked ? 'booked' : 'cancelled'],
  );
}

/** A dispute of an order, as payment knows it and as the order shows it. */
export async function plantDispute(
  books: TestBooks,
  dispute: { id: string; orderId: string; amount: number },
): Promise<void> {
  const { id, orderId, amount } = dispute;
  const columns = 'tenant_id, order_id, amount, currency, reason, status, opened_at, revision';
  const values = `$1, $2, $3, 'EUR', 'fraudulent', 'lost', clock_timestamp(), 1`;
  await books.pools.payment.query(`insert into disputes (${columns}, dispute_id, told) values (${values}, $4, 1)`, [
    ...[TENANT, orderId, amount, id],
  ]);
  await books.pools.orchestrator.query(`insert into order_disputes (${columns}, id) values (${values}, $4)`, [
    ...[TENANT, orderId, amount, id],
  ]);
}

/** One of each kind. */
export const SOUND_ORDERS: PlantedOrder[] = [
  { id: 'by-balance', state: 'completed', total: 500, pays: 'balance', ships: 'us' },
  { id: 'by-card', state: 'completed', total: 700, pays: 'card', ships: 'carrier' },
  { id: 'declined', state: 'failed', total: 900, pays: 'card', ships: 'carrier' },
  { id: 'given-back', state: 'cancelled', total: 300, pays: 'balance', ships: 'us' },
  { id: 'refunded', state: 'cancelled', total: 200, pays: 'card', ships: 'carrier' },
];

/** What was decided about its payment; a capture that is over has been made, unless that is what is wrong. */
export async function plantSettlement(
  books: TestBooks,
  settled: {
    orderId: string;
    kind: 'capture' | 'release';
    amount: number;
    state?: 'completed' | 'running';
    isMade?: boolean;
  },
): Promise<void> {
  const { orderId, kind, amount, state = 'completed', isMade = true } = settled;
  const sagaId = `${kind}_${orderId}`;
  const outputs = kind === 'capture' ? { 'capture-payment': { status: 'captured', amount } } : {};
  const { orchestrator, payment, sandbox } = books.pools;
  await orchestrator.query(
    `insert into order_settlements (order_id, number, tenant_id, kind, saga_id, amount, created_at)
     values ($1, 1, $2, $3, $4, $5, clock_timestamp())`,
    [orderId, TENANT, kind, sagaId, amount],
  );
  await orchestrator.query(
    `insert into holdfast.sagas (id, definition, input, state, outputs, owner_id, deadline_at, changed_at, ended_at)
     values ($1, $2, '{}', $3, $4, 1, clock_timestamp(), clock_timestamp(),
             case when $3 = 'completed' then clock_timestamp() end)`,
    [sagaId, `${kind}-order`, state, JSON.stringify(state === 'completed' ? outputs : {})],
  );
  if (kind === 'release' || state === 'running' || !isMade) return;
  await payment.query(`update charges set state = 'captured', captured_amount = $2 where order_id = $1`, [
    orderId,
    amount,
  ]);
  await sandbox.query(
    `insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
     values ($1, $2, 'captured', $3, 'eur', $4, $5)`,
    [`pi_${orderId}`, `ch_${orderId}`, amount, orderId, TENANT],
  );
}
