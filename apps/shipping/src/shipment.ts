/*
 * What this service knows of an order's shipment. Runs inside the claim's transaction.
 *
 * A1  At most one shipment per order: its row is the order's. Our own is booked with the row; a carrier's is booked by
 *     the row's reference.
 * K1  A carrier's shipment is `requested` here, durably, before the carrier hears of it.
 * K5  The row outlives the claim: what was booked, refused or cancelled once is that for ever, under any key.
 *
 * Locks: acts and undos of one order wait for each other at its fence before they come here. What records the carrier's
 * answer comes without the fence: an act takes its claim first and the row second, as everybody does who seals or claims,
 * and an undo's takes the row first, for which nobody waits who holds that undo's claim. So nobody waits in a circle.
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

type State = 'requested' | 'booked' | 'refused' | 'cancelled';

/** Undeliverable by definition, the same rule as the sandbox's carrier: the failure path exists with and without one. */
const UNDELIVERABLE_POSTAL_CODE = '00000';

/** What the carrier knows the order's shipment by: the same from every attempt, and nothing personal. */
export function referenceOf(tenantId: string, orderId: string): string {
  return `${tenantId}:${orderId}`;
}

const insertShipment = statement(
  'shipping.insert-shipment',
  `insert into shipments (tenant_id, order_id, ship_to, parcels, carrier, state, shipment_id, settled_at)
   values ($1::text, $2::text, $3::jsonb, $4::jsonb, $5::boolean, $6::text, $7::text,
           case when $6::text <> 'requested' then clock_timestamp() end)`,
);

/**
 * Books our own shipment, or records that the carrier is about to be asked.
 * @throws InvalidRequest CONFLICT when the order has had another shipment, or its shipment was cancelled
 */
export async function beginShipment(tx: Transaction, request: ShipmentRequest, byCarrier: boolean): Promise<Begun> {
  const earlier = await earlierShipment(tx, request);
  if (earlier !== undefined) return earlier;
  const begun: Begun = byCarrier ? { kind: 'requested', sentBefore: false } : ownShipment(request);
  await tx.query({
    ...insertShipment,
    values: [
      request.tenantId,
      request.orderId,
      JSON.stringify(request.shipTo),
      JSON.stringify(request.parcels),
      byCarrier,
      begun.kind,
      begun.kind === 'booked' ? begun.shipmentId : null,
    ],
  });
  return begun;
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
async function earlierShipment(tx: Transaction, request: ShipmentRequest): Promise<Begun | undefined> {
  const { rows } = await tx.query<{ state: State; shipment_id: string | null; same: boolean }>({
    ...findEarlier,
    values: [request.tenantId, request.orderId, JSON.stringify(request.shipTo), JSON.stringify(request.parcels)],
  });
  const row = rows[0];
  if (row === undefined) return undefined;
  if (!row.same || row.state === 'cancelled') throw hasHadItsShipment();
  if (row.state === 'refused') return { kind: 'refused' };
  if (row.state === 'requested') return { kind: 'requested', sentBefore: true };
  return { kind: 'booked', shipmentId: row.shipment_id ?? '' };
}

function hasHadItsShipment(): InvalidRequest {
  return new InvalidRequest('order_id', 'this order has had its shipment: an order ships once', 'CONFLICT');
}

const settleShipment = statement(
  'shipping.settle-shipment',
  `update shipments set state = $3::text, shipment_id = $4::text, settled_at = clock_timestamp()
    where tenant_id = $1::text and order_id = $2::text
      and (state = 'requested' or (state = $3::text and shipment_id is not distinct from $4::text))`,
);

/** Writes what the carrier said. @throws InvalidRequest CONFLICT when the shipment has been settled otherwise since */
export async function settleBooking(tx: Transaction, request: ShipmentRequest, result: BookResult): Promise<void> {
  const shipmentId = result.kind === 'booked' ? result.shipmentId : null;
  const values = [request.tenantId, request.orderId, result.kind, shipmentId];
  const { rowCount } = await tx.query({ ...settleShipment, values });
  if (rowCount !== 1) throw hasHadItsShipment();
}

export type BegunCancel =
  /** Nothing is live any more; `shipmentId` is '' when nothing ever was. */
  { kind: 'cancelled'; shipmentId: string } | { kind: 'with_carrier' };

const findShipment = statement(
  'shipping.find-shipment',
  `select state, carrier, shipment_id from shipments where tenant_id = $1::text and order_id = $2::text`,
);

const cancelOwn = statement(
  'shipping.cancel-own',
  `update shipments set state = 'cancelled', cancelled_at = clock_timestamp()
    where tenant_id = $1::text and order_id = $2::text and not carrier and state = 'booked'`,
);

/** Cancels our own shipment, or tells that the carrier may have one. For the transaction that has sealed the act (K3). */
export async function beginCancel(tx: Transaction, tenantId: string, orderId: string): Promise<BegunCancel> {
  const { rows } = await tx.query<{ state: State; carrier: boolean; shipment_id: string | null }>({
    ...findShipment,
    values: [tenantId, orderId],
  });
  const row = rows[0];
  // No row: no act has committed its claim, so no call has gone out; sealed as it is, none ever will.
  if (row === undefined || row.state === 'refused') return { kind: 'cancelled', shipmentId: '' };
  if (row.state === 'cancelled') return { kind: 'cancelled', shipmentId: row.shipment_id ?? '' };
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
  tenantId: string,
  orderId: string,
  shipmentId: string | null,
): Promise<string> {
  const { rows } = await tx.query<{ shipment_id: string | null }>({
    ...settleCancelled,
    values: [tenantId, orderId, shipmentId],
  });
  return rows[0]?.shipment_id ?? '';
}
