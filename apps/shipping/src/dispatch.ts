/*
 * Dispatching a shipment: the parcel has left.
 *
 * A1  What it was asked under stays in the row: by it the auditor tells that the API has decided it.
 * E1  The event is written by the statement that makes it true: neither is without the other.
 * K5  A shipment is dispatched once, whoever asks and however often: the row says so for ever, and needs no key.
 * S3  What is being cancelled is not dispatched, and what was dispatched is not cancelled (shipment.ts). Both lock the shipment's
 *     row first. A cancel at the carrier does not keep that lock while it calls out, but the seal of its act is committed by then.
 * A1  Goods that are returned before they have left are free for others. Which of the two comes first is decided here, under the lock
 *     of the shipment's row: what is withheld is not dispatched, and what was dispatched is not withheld. All of it stays: a parcel
 *     is packed, and a carrier told, as it was booked.
 */
import { SHIPMENT_EVENTS } from '@holdfast/contracts';
import { isSealedSql } from '@holdfast/idempotency';
import { defineOutbox, newEventsSql } from '@holdfast/messaging';
import { statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';

export const SHIPMENT_OUTBOX = defineOutbox({ name: SHIPMENT_EVENTS, subject: 'shipment' });

export interface Dispatched {
  shipmentId: string;
  dispatchedAt: Date;
}

interface ShipmentRow {
  state: 'requested' | 'booked' | 'refused' | 'cancelled' | 'dispatched';
  shipment_id: string | null;
  dispatched_at: Date | null;
  withheld_at: Date | null;
}

const lockShipment = statement(
  'shipping.lock-shipment',
  `select state, shipment_id, dispatched_at, withheld_at from shipments
    where tenant_id = $1::text and order_id = $2::text for update`,
);

// Not one statement with the lock: it must see what was sealed while we waited for the lock.
const dispatchSql = (outbox: string) => `
   with dispatched as (
     update shipments set state = 'dispatched', dispatched_at = clock_timestamp(), dispatch_key = $3::text
      where tenant_id = $1::text and order_id = $2::text and state = 'booked' and withheld_at is null
        and not ${isSealedSql({ tenantId: '$1::text', scope: '$2::text', name: "'create-shipment'" })}
     returning tenant_id, order_id, state, shipment_id, dispatched_at
   )${outbox}
   select state, shipment_id, dispatched_at from dispatched`;

const dispatchShipment = statement('shipping.dispatch', dispatchSql(''));
const dispatchAndPublish = statement(
  'shipping.dispatch-with-outbox',
  dispatchSql(
    `, published as (${newEventsSql({
      tenantId: 'tenant_id',
      orderId: 'order_id',
      kind: `'dispatched'`,
      at: 'dispatched_at',
      source: 'dispatched',
    })})`,
  ),
);

/**
 * Dispatches the order's shipment; again, it is the same answer and nothing changes.
 * @throws InvalidRequest NOT_FOUND when there is no shipment, CONFLICT when it is not booked, is being cancelled, or goods of it
 *   are returned
 */
export async function dispatch(
  tx: Transaction,
  order: { tenantId: string; orderId: string },
  { publishes, returning, key }: { publishes: boolean; returning: boolean; key: string | undefined },
): Promise<Dispatched> {
  const values = [order.tenantId, order.orderId];
  const found = await tx.query<ShipmentRow>({ ...lockShipment, values });
  const before = found.rows[0];
  if (before === undefined) throw new InvalidRequest('order_id', 'this order has no shipment', 'NOT_FOUND');
  if (before.state === 'dispatched') return dispatchedAs(before);
  if (before.state !== 'booked') throw notBooked(before.state);
  if (returning || before.withheld_at !== null) throw returned();
  const { rows } = await tx.query<ShipmentRow>({
    ...(publishes ? dispatchAndPublish : dispatchShipment),
    values: [...values, key],
  });
  const [row] = rows;
  if (row === undefined) throw notBooked('cancelling');
  return dispatchedAs(row);
}

const withholdShipment = statement(
  'shipping.withhold',
  `update shipments set withheld_at = coalesce(withheld_at, clock_timestamp())
    where tenant_id = $1::text and order_id = $2::text and state <> 'dispatched'`,
);

/** Keeps a shipment that has not left from leaving. @returns whether it has left. @throws InvalidRequest NOT_FOUND */
export async function withhold(tx: Transaction, order: { tenantId: string; orderId: string }): Promise<boolean> {
  const values = [order.tenantId, order.orderId];
  const { rowCount } = await tx.query({ ...withholdShipment, values });
  if (rowCount === 1) return false;
  const { rows } = await tx.query<ShipmentRow>({ ...lockShipment, values });
  if (rows[0] === undefined) throw new InvalidRequest('order_id', 'this order has no shipment', 'NOT_FOUND');
  return true;
}

function returned(): InvalidRequest {
  const why = 'goods of this order are returned before they have left, and may be sold to others: it is not sent';
  return new InvalidRequest('order_id', `${why}; refund the rest too, or place a new order for it`, 'CONFLICT');
}

function dispatchedAs({ shipment_id: shipmentId, dispatched_at: dispatchedAt }: ShipmentRow): Dispatched {
  if (shipmentId === null || dispatchedAt === null) throw new Error('a dispatched shipment has no id or no instant');
  return { shipmentId, dispatchedAt };
}

function notBooked(state: ShipmentRow['state'] | 'cancelling'): InvalidRequest {
  const is = state === 'cancelling' ? 'being cancelled' : state;
  const why = state === 'requested' ? 'not booked yet: dispatch it when it is' : `${is}: nothing will be sent`;
  return new InvalidRequest('order_id', `this order’s shipment is ${why}`, 'CONFLICT');
}
