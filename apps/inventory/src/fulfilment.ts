/*
 * Fulfilling reservations: what was held has left the warehouse, as shipping tells of each shipment that it dispatches.
 *
 * K1  A message's note, its reservation, the stock and the entries are one transaction: a dispatch counts once, however often
 *     it is told and wherever a process dies.
 * K5  Notes are forgotten after a while. Then the reservation's state says that it has counted, and behind that the entry, of
 *     which an order has one per item.
 * A1  on_hand and reserved sink by the same quantities, less what was returned before it left; each item has an entry for it.
 * A dispatch of what is not held and was not fulfilled can't be: it is thrown, shown and set aside, never dropped.
 *
 * Locks: the inbox, reservations, then stock rows, each in order of their key: the two latter as releases do (reservation.ts).
 */

import { SHIPMENT_EVENTS, streamKeyOf } from '@holdfast/contracts';
import type { StreamEntry } from '@holdfast/messaging';
import { type Message, takeNew } from '@holdfast/messaging';
import { byOrder, type OrderId } from '@holdfast/participant';
import { fewRowsHint, type Pool, statement, type Transaction, transaction } from '@holdfast/postgres';
import { heldLines, lockReservations, lockStock, type ReservationRow } from './reservation.ts';

/** Where shipping tells what has happened to shipments. */
export const SHIPMENT_STREAM = streamKeyOf(SHIPMENT_EVENTS);
/** Who deals with it: stored data. */
export const FULFILMENT = 'fulfil-stock';

const DISPATCHED = 'shipment.dispatched';

/** What a dispatch says can't be: somebody has to look. */
class Unfulfillable extends Error {
  override name = 'Unfulfillable';
}

/** Fulfils what these entries say was dispatched, once. @throws Unfulfillable, pg errors; nothing has changed then */
export async function fulfilDispatched(pool: Pool, entries: StreamEntry[]): Promise<void> {
  const dispatches = entries.flatMap((entry) => {
    const message = dispatchIn(entry);
    return message === undefined ? [] : [message];
  });
  if (dispatches.length === 0) return;
  await transaction(pool, async (tx) => {
    const fresh = await takeNew(tx, FULFILMENT, dispatches);
    if (fresh.length > 0) await fulfil(tx, fresh);
  });
}

/** @returns undefined for an event of another kind. @throws Unfulfillable for one that nobody can read */
function dispatchIn({ fields: { id, type, orderId, tenantId } }: StreamEntry): Message | undefined {
  if (type !== undefined && type !== DISPATCHED) return undefined;
  if (!id || !type || !orderId || !tenantId) throw new Unfulfillable('an event without id, type, orderId or tenantId');
  return { tenantId, scope: orderId, id };
}

const fulfilStock = statement(
  'inventory.fulfil',
  `with fulfilled as (
     update reservations h set state = 'fulfilled'
       from unnest($1::text[], $2::text[]) as r (tenant_id, order_id)
      where h.tenant_id = r.tenant_id and h.order_id = r.order_id and h.state = 'held'
        and ${fewRowsHint('r.tenant_id', 'r.order_id')}
   ), entered as (
     insert into stock_entries (tenant_id, sku, entry_key, kind, delta)
     select tenant_id, sku, entry_key, 'fulfil', -quantity
       from unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) as e (tenant_id, sku, entry_key, quantity)
   )
   update stock set on_hand = on_hand - w.quantity, reserved = reserved - w.quantity, version = version + 1
     from unnest($7::text[], $8::text[], $9::bigint[]) as w (tenant_id, sku, quantity)
    where stock.tenant_id = w.tenant_id and stock.sku = w.sku and ${fewRowsHint('w.tenant_id', 'w.sku')}`,
);

async function fulfil(tx: Transaction, dispatches: Message[]): Promise<void> {
  const orders = dispatches.map(({ tenantId, scope }) => ({ tenantId, orderId: scope }));
  const found = await lockReservations(tx, orders);
  const rowOf = byOrder(found);
  for (const order of orders) mustBeHeld(order, rowOf(order));
  const held = found.filter(({ state }) => state === 'held');
  if (held.length === 0) return;
  const lines = held.flatMap((row) => heldLines(row).map((line) => ({ ...line, tenantId: row.tenant_id, row })));
  const stock = await lockStock(tx, lines);
  for (const { tenantId, sku, quantity } of lines) stock.add(tenantId, sku, quantity);
  await tx.query({
    ...fulfilStock,
    values: [
      held.map((row) => row.tenant_id),
      held.map((row) => row.order_id),
      lines.map(({ tenantId }) => tenantId),
      lines.map(({ sku }) => sku),
      lines.map(({ row }) => entryKeyOf(row.order_id)),
      lines.map(({ quantity }) => quantity),
      ...stock.columns(),
    ],
  });
}

/** Has a character that no caller's key has: an adjustment under the order's id is another entry. */
function entryKeyOf(orderId: string): string {
  return `fulfil/${orderId}`;
}

function mustBeHeld({ orderId }: OrderId, row: ReservationRow | undefined): void {
  if (row === undefined) throw new Unfulfillable(`order ${orderId} was dispatched and has no reservation`);
  if (row.state === 'released')
    throw new Unfulfillable(`order ${orderId} was dispatched and its reservation was released`);
}
