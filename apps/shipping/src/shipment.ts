/*
 * What this service knows of an order's shipment. Runs inside the claim's transaction.
 *
 * A1  At most one shipment per order: its row is the order's. Our own is booked with the row; a carrier's is booked by
 *     the row's reference.
 * K1  A carrier's shipment is `requested` here, durably, before the carrier hears of it.
 * K5  The row outlives the claim: what was booked, refused, cancelled or dispatched once is that for ever, under any key.
 * S3  What was dispatched can't be cancelled, and nobody is told that it was: the undo fails, and its saga is parked.
 *
 * Locks: acts and undos of one order wait for each other at its fence before they come here. What records the carrier's
 * answer comes without the fence, and has locked its claim first, as everybody does who seals or claims. Undos lock the
 * shipments' rows after that, in order of their key, so that nothing is dispatched meanwhile (dispatch.ts).
 */
import { byOrder, makeOrFind, type OrderId, orderColumns } from '@holdfast/participant';
import { statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import type { BookingPlan } from './book-at-carrier.ts';
import { ADDRESS_REFUSED, type Address, type BookResult, type Parcel } from './carrier.ts';

export interface ShipmentRequest extends OrderId {
  shipTo: Address;
  parcels: Parcel[];
}

/** `perform`: at the carrier. */
export type BegunShipment = BookResult | { kind: 'perform'; plan: BookingPlan };

type State = 'requested' | 'booked' | 'refused' | 'cancelled' | 'dispatched';

/** Undeliverable by definition, the same rule as the sandbox's carrier: the failure path exists with and without one. */
const UNDELIVERABLE_POSTAL_CODE = '00000';

/** What the carrier knows the order's shipment by: the same from every attempt, and nothing personal. */
function referenceOf({ tenantId, orderId }: OrderId): string {
  return `${tenantId}:${orderId}`;
}

const insertShipments = statement(
  'shipping.insert-shipments',
  `insert into shipments (tenant_id, order_id, ship_to, parcels, carrier, state, shipment_id, settled_at)
   select tenant_id, order_id, ship_to, parcels, $5::boolean, state, shipment_id,
          case when state <> 'requested' then clock_timestamp() end
     from unnest($1::text[], $2::text[], $3::jsonb[], $4::jsonb[], $6::text[], $7::text[])
       as r (tenant_id, order_id, ship_to, parcels, state, shipment_id)
   on conflict (tenant_id, order_id) do nothing`,
);

/**
 * Books our own shipments, or records that the carrier is about to be asked.
 * @throws InvalidRequest CONFLICT for an order that has had another shipment, or its shipment was cancelled;
 *   DuplicateEffect when one order among several has a shipment: its batch must be split
 */
export async function beginShipments(
  tx: Transaction,
  calls: { request: ShipmentRequest; resumed: boolean }[],
  byCarrier: boolean,
): Promise<BegunShipment[]> {
  return await makeOrFind(
    calls,
    (fresh) =>
      insertFresh(
        tx,
        fresh.map(({ request }) => request),
        byCarrier,
      ),
    // Resumed, or its claim is gone: its row is there.
    ({ request }) => earlierShipment(tx, request),
  );
}

const STATES = { perform: 'requested', completed: 'booked', refused: 'refused' } as const;

/** @returns undefined when one of them has its shipment already */
async function insertFresh(
  tx: Transaction,
  requests: ShipmentRequest[],
  byCarrier: boolean,
): Promise<BegunShipment[] | undefined> {
  const begun = requests.map((request) => (byCarrier ? bookingOf(request, false) : ownShipment(request)));
  const { rowCount } = await tx.query({
    ...insertShipments,
    values: [
      ...orderColumns(requests),
      requests.map(({ shipTo }) => JSON.stringify(shipTo)),
      requests.map(({ parcels }) => JSON.stringify(parcels)),
      byCarrier,
      begun.map(({ kind }) => STATES[kind]),
      begun.map(shipmentIdOf),
    ],
  });
  return rowCount === requests.length ? begun : undefined;
}

function bookingOf(request: ShipmentRequest, sentBefore: boolean): BegunShipment {
  const { shipTo, parcels } = request;
  return { kind: 'perform', plan: { booking: { reference: referenceOf(request), shipTo, parcels }, sentBefore } };
}

function shipmentIdOf(outcome: BegunShipment): string | null {
  return outcome.kind === 'completed' ? outcome.result.shipmentId : null;
}

function ownShipment({ orderId, shipTo }: ShipmentRequest): BookResult {
  if (shipTo.postalCode === UNDELIVERABLE_POSTAL_CODE) return ADDRESS_REFUSED;
  return { kind: 'completed', result: { shipmentId: `shp_${orderId}` } };
}

// Compared as jsonb: the order of an object's members makes no difference, the order of parcels does.
const findEarlier = statement(
  'shipping.find-earlier',
  `select state, shipment_id, (ship_to = $3::jsonb and parcels = $4::jsonb) as same
     from shipments where tenant_id = $1::text and order_id = $2::text`,
);

/** What became of this order's shipment before: in an earlier attempt, or when its claim is gone but the row is not (K5). */
async function earlierShipment(tx: Transaction, request: ShipmentRequest): Promise<BegunShipment> {
  const { rows } = await tx.query<{ state: State; shipment_id: string | null; same: boolean }>({
    ...findEarlier,
    values: [request.tenantId, request.orderId, JSON.stringify(request.shipTo), JSON.stringify(request.parcels)],
  });
  const row = rows[0];
  if (row === undefined) throw new Error('a shipment vanished: is something deleting shipments?');
  if (!row.same || row.state === 'cancelled') throw hasHadItsShipment();
  if (row.state === 'refused') return ADDRESS_REFUSED;
  if (row.state === 'requested') return bookingOf(request, true);
  return { kind: 'completed', result: { shipmentId: row.shipment_id ?? '' } };
}

function hasHadItsShipment(): InvalidRequest {
  return new InvalidRequest('order_id', 'this order has had its shipment: an order ships once', 'CONFLICT');
}

const settleShipments = statement(
  'shipping.settle-shipments',
  `update shipments s set state = r.state, shipment_id = r.shipment_id, settled_at = clock_timestamp()
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as r (tenant_id, order_id, state, shipment_id)
    where s.tenant_id = r.tenant_id and s.order_id = r.order_id
      and (s.state = 'requested' or (s.state = r.state and s.shipment_id is not distinct from r.shipment_id))`,
);

/**
 * Writes what the carrier said; the claims are locked.
 * @throws InvalidRequest CONFLICT when one of the shipments has been settled otherwise since
 */
export async function settleBookings(
  tx: Transaction,
  booked: { request: ShipmentRequest; result: BookResult }[],
): Promise<void> {
  const { rowCount } = await tx.query({
    ...settleShipments,
    values: [
      ...orderColumns(booked.map(({ request }) => request)),
      booked.map(({ result }) => STATES[result.kind]),
      booked.map(({ result }) => shipmentIdOf(result)),
    ],
  });
  if (rowCount !== booked.length) throw hasHadItsShipment();
}

export type BegunCancel =
  /** Nothing is live any more; `result` is the shipment's id, '' when nothing ever was. */
  | { kind: 'completed'; result: string }
  /** The carrier may have it, by the reference `plan`. */
  | { kind: 'perform'; plan: string };

const lockShipments = statement(
  'shipping.lock-shipments',
  `select s.tenant_id, s.order_id, s.state, s.carrier, s.shipment_id
     from (select * from unnest($1::text[], $2::text[]) as r (tenant_id, order_id) order by tenant_id, order_id) r,
          lateral (select tenant_id, order_id, state, carrier, shipment_id from shipments s
                    where s.tenant_id = r.tenant_id and s.order_id = r.order_id for update) s`,
);

interface ShipmentRow {
  tenant_id: string;
  order_id: string;
  state: State;
  carrier: boolean;
  shipment_id: string | null;
}

const cancelOwn = statement(
  'shipping.cancel-own',
  `update shipments set state = 'cancelled', cancelled_at = clock_timestamp()
    where tenant_id = $1::text and order_id = $2::text and not carrier and state = 'booked'`,
);

/**
 * Cancels our own shipments, or plans what must be cancelled at the carrier. For the transaction that has sealed the acts (K3).
 * @throws InvalidRequest CONFLICT when one of them was dispatched
 */
export async function beginCancels(tx: Transaction, orders: OrderId[]): Promise<BegunCancel[]> {
  const { rows } = await tx.query<ShipmentRow>({ ...lockShipments, values: orderColumns(orders) });
  const shipmentOf = byOrder(rows);
  const begun: BegunCancel[] = [];
  // Most orders turn back before anything was shipped: then there is nothing to write.
  for (const order of orders) begun.push(await beginCancel(tx, order, shipmentOf(order)));
  return begun;
}

async function beginCancel(tx: Transaction, order: OrderId, row: ShipmentRow | undefined): Promise<BegunCancel> {
  // No row: no act has committed its claim, so no call has gone out; sealed as it is, none ever will.
  if (row === undefined || row.state === 'refused') return { kind: 'completed', result: '' };
  if (row.state === 'cancelled') return { kind: 'completed', result: row.shipment_id ?? '' };
  if (row.state === 'dispatched') {
    throw new InvalidRequest('order_id', 'this order’s shipment was dispatched: it can’t be cancelled', 'CONFLICT');
  }
  if (row.carrier) return { kind: 'perform', plan: referenceOf(order) };
  await tx.query({ ...cancelOwn, values: [order.tenantId, order.orderId] });
  return { kind: 'completed', result: row.shipment_id ?? '' };
}

const settleCancelled = statement(
  'shipping.settle-cancelled',
  `update shipments
      set state = 'cancelled', shipment_id = coalesce($3::text, shipment_id),
          cancelled_at = coalesce(cancelled_at, clock_timestamp())
    where tenant_id = $1::text and order_id = $2::text and carrier and state <> 'refused'
   returning shipment_id`,
);

/** Writes that the carrier has cancelled it. @returns the shipment's id, '' when nothing had been booked */
export async function settleCancel(
  tx: Transaction,
  { tenantId, orderId }: OrderId,
  shipmentId: string | null,
): Promise<string> {
  const { rows } = await tx.query<{ shipment_id: string | null }>({
    ...settleCancelled,
    values: [tenantId, orderId, shipmentId],
  });
  return rows[0]?.shipment_id ?? '';
}
