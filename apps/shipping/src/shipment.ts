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
import { statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import type { BookResult } from './book-at-carrier.ts';
import type { Address, Parcel } from './carrier.ts';

export interface ShipmentRequest {
  tenantId: string;
  orderId: string;
  shipTo: Address;
  parcels: Parcel[];
}

export type Begun =
  | BookResult
  /** With the carrier; `sentBefore`: an earlier attempt may have sent the booking. */
  | { kind: 'requested'; sentBefore: boolean };

type State = 'requested' | 'booked' | 'refused' | 'cancelled' | 'dispatched';

/** Undeliverable by definition, the same rule as the sandbox's carrier: the failure path exists with and without one. */
const UNDELIVERABLE_POSTAL_CODE = '00000';

/** What the carrier knows the order's shipment by: the same from every attempt, and nothing personal. */
export function referenceOf(tenantId: string, orderId: string): string {
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

/** An order of a batch has its shipment already: the batch can't be written as one. */
class ShippedBefore extends Error {
  override name = 'ShippedBefore';
  constructor() {
    super('an order of this batch has its shipment already: ship each order alone');
  }
}

/**
 * Books our own shipments, or records that the carrier is about to be asked.
 * @throws InvalidRequest CONFLICT for an order that has had another shipment, or its shipment was cancelled;
 *   ShippedBefore when one order among several has a shipment: its batch must be split
 */
export async function beginShipments(
  tx: Transaction,
  calls: { request: ShipmentRequest; resumed: boolean }[],
  byCarrier: boolean,
): Promise<Begun[]> {
  const fresh = calls.flatMap(({ request, resumed }) => (resumed ? [] : [request]));
  const made = fresh.length === 0 ? [] : await insertFresh(tx, fresh, byCarrier);
  const begun: Begun[] = [];
  for (const { request, resumed } of calls) {
    // Resumed: an attempt at the carrier was here before, and has left its row.
    begun.push(resumed ? await earlierShipment(tx, request) : (made.shift() as Begun));
  }
  return begun;
}

async function insertFresh(tx: Transaction, requests: ShipmentRequest[], byCarrier: boolean): Promise<Begun[]> {
  const begun = requests.map(
    (request): Begun => (byCarrier ? { kind: 'requested', sentBefore: false } : ownShipment(request)),
  );
  const { rowCount } = await tx.query({
    ...insertShipments,
    values: [
      requests.map(({ tenantId }) => tenantId),
      requests.map(({ orderId }) => orderId),
      requests.map(({ shipTo }) => JSON.stringify(shipTo)),
      requests.map(({ parcels }) => JSON.stringify(parcels)),
      byCarrier,
      begun.map(({ kind }) => kind),
      begun.map((outcome) => (outcome.kind === 'booked' ? outcome.shipmentId : null)),
    ],
  });
  if (rowCount === requests.length) return begun;
  const [request] = requests;
  if (request === undefined || requests.length > 1) throw new ShippedBefore();
  return [await earlierShipment(tx, request)];
}

function ownShipment(request: ShipmentRequest): BookResult {
  if (request.shipTo.postalCode === UNDELIVERABLE_POSTAL_CODE) return { kind: 'refused' };
  return { kind: 'booked', shipmentId: `shp_${request.orderId}` };
}

// Compared as jsonb: the order of an object's members makes no difference, the order of parcels does.
const findEarlier = statement(
  'shipping.find-earlier',
  `select state, shipment_id, (ship_to = $3::jsonb and parcels = $4::jsonb) as same
     from shipments where tenant_id = $1::text and order_id = $2::text`,
);

/** What became of this order's shipment before: in an earlier attempt, or when its claim is gone but the row is not (K5). */
async function earlierShipment(tx: Transaction, request: ShipmentRequest): Promise<Begun> {
  const { rows } = await tx.query<{ state: State; shipment_id: string | null; same: boolean }>({
    ...findEarlier,
    values: [request.tenantId, request.orderId, JSON.stringify(request.shipTo), JSON.stringify(request.parcels)],
  });
  const row = rows[0];
  if (row === undefined) throw new Error('a shipment vanished: is something deleting shipments?');
  if (!row.same || row.state === 'cancelled') throw hasHadItsShipment();
  if (row.state === 'refused') return { kind: 'refused' };
  if (row.state === 'requested') return { kind: 'requested', sentBefore: true };
  return { kind: 'booked', shipmentId: row.shipment_id ?? '' };
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
      booked.map(({ request }) => request.tenantId),
      booked.map(({ request }) => request.orderId),
      booked.map(({ result }) => result.kind),
      booked.map(({ result }) => (result.kind === 'booked' ? result.shipmentId : null)),
    ],
  });
  if (rowCount !== booked.length) throw hasHadItsShipment();
}

export interface CancelRequest {
  tenantId: string;
  orderId: string;
}

export type BegunCancel =
  /** Nothing is live any more; `shipmentId` is '' when nothing ever was. */
  { kind: 'cancelled'; shipmentId: string } | { kind: 'with_carrier' };

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
 * Cancels our own shipments, or tells that the carrier may have one. For the transaction that has sealed the acts (K3).
 * @throws InvalidRequest CONFLICT when one of them was dispatched
 */
export async function beginCancels(tx: Transaction, orders: CancelRequest[]): Promise<BegunCancel[]> {
  const { rows } = await tx.query<ShipmentRow>({
    ...lockShipments,
    values: [orders.map(({ tenantId }) => tenantId), orders.map(({ orderId }) => orderId)],
  });
  const shipments = new Map(rows.map((row) => [`${row.tenant_id} ${row.order_id}`, row]));
  const begun: BegunCancel[] = [];
  // Most orders turn back before anything was shipped: then there is nothing to write.
  for (const order of orders) {
    begun.push(await beginCancel(tx, order, shipments.get(`${order.tenantId} ${order.orderId}`)));
  }
  return begun;
}

async function beginCancel(
  tx: Transaction,
  { tenantId, orderId }: CancelRequest,
  row: ShipmentRow | undefined,
): Promise<BegunCancel> {
  // No row: no act has committed its claim, so no call has gone out; sealed as it is, none ever will.
  if (row === undefined || row.state === 'refused') return { kind: 'cancelled', shipmentId: '' };
  if (row.state === 'cancelled') return { kind: 'cancelled', shipmentId: row.shipment_id ?? '' };
  if (row.state === 'dispatched') {
    throw new InvalidRequest('order_id', 'this order’s shipment was dispatched: it can’t be cancelled', 'CONFLICT');
  }
  if (row.carrier) return { kind: 'with_carrier' };
  await tx.query({ ...cancelOwn, values: [tenantId, orderId] });
  return { kind: 'cancelled', shipmentId: row.shipment_id ?? '' };
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
  { tenantId, orderId }: CancelRequest,
  shipmentId: string | null,
): Promise<string> {
  const { rows } = await tx.query<{ shipment_id: string | null }>({
    ...settleCancelled,
    values: [tenantId, orderId, shipmentId],
  });
  return rows[0]?.shipment_id ?? '';
}
