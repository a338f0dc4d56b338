/*
 * Reserving and releasing stock, for a batch of orders at once. Runs inside the claims' transaction (K1).
 *
 * A1  0 <= reserved <= on_hand, held twice: by the check here, under the rows' locks, and by the table's constraint.
 * K5  A reservation's primary key is its order: a second one can't exist, even when the claim is long gone.
 * S3  What was fulfilled (fulfilment.ts) has left: it is not released, and no answer says that it was. The undo fails, and
 *     its saga is parked.
 * Locks: reservations, then stock rows, each in order of their key, so that two batches can't wait for each other in a
 * circle. An item that every order wants is locked, and written, once per batch.
 */
import { byOrder, DuplicateEffect, type OrderId, orderColumns } from '@holdfast/participant';
import { fewRowsHint, statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import type { Line, PricedLine, Reservation, ReserveOutcome, ReserveRequest } from './reserve-request.ts';
import { StockAllocation, type StockRow } from './stock-allocation.ts';

const lockItems = statement(
  'inventory.lock-stock',
  `select s.tenant_id, s.sku, s.on_hand - s.reserved as free, s.unit_price, s.currency
     from (select distinct tenant_id, sku from unnest($1::text[], $2::text[]) as w (tenant_id, sku)
            order by tenant_id, sku) w,
          lateral (select tenant_id, sku, on_hand, reserved, unit_price, currency from stock
                    where stock.tenant_id = w.tenant_id and stock.sku = w.sku for update) s`,
);

// Stock is held if and only if every order of the batch made its reservation now: the conflict is K5's guard.
const holdStock = statement(
  'inventory.hold-stock',
  `with made as (
     insert into reservations (tenant_id, order_id, reservation_id, state, currency, total, lines)
     select tenant_id, order_id, reservation_id, 'held', currency, total, lines
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::jsonb[])
         as r (tenant_id, order_id, reservation_id, currency, total, lines)
     on conflict (tenant_id, order_id) do nothing
     returning order_id
   ), held as (
     update stock set reserved = reserved + w.quantity, version = version + 1
       from unnest($7::text[], $8::text[], $9::bigint[]) as w (tenant_id, sku, quantity)
      where stock.tenant_id = w.tenant_id and stock.sku = w.sku and ${fewRowsHint('w.tenant_id', 'w.sku')}
        and (select count(*) from made) = cardinality($2::text[])
   )
   select count(*)::int as made from made`,
);

const findReservations = statement(
  'inventory.find-reservations',
  `select h.tenant_id, h.order_id, h.reservation_id, h.state, h.currency, h.total, h.lines, h.returned
     from unnest($1::text[], $2::text[]) as r (tenant_id, order_id),
          lateral (select * from reservations h
                    where h.tenant_id = r.tenant_id and h.order_id = r.order_id offset 0) h`,
);

/**
 * Reserves, for each of these orders, every line or none. Orders are served as they come: what the first gets, the
 * second finds reserved.
 * @throws InvalidRequest CONFLICT for an order that has had another reservation; DuplicateEffect when an order among
 *   several has had this one: its batch must be split
 */
export async function reserve(tx: Transaction, requests: ReserveRequest[]): Promise<ReserveOutcome[]> {
  const wanted = requests.flatMap(({ tenantId, lines }) => lines.map(({ sku }) => ({ tenantId, sku })));
  const stock = await lockStock(tx, wanted);
  const outcomes = requests.map((request) => stock.allocate(request));
  // What is free may be little because this very order holds the rest: ask before refusing.
  const refused = requests.filter((_, at) => outcomes[at]?.kind === 'refused');
  const earlier = await earlierReservations(tx, refused);
  requests.forEach((request, at) => {
    const before = reserved(earlier.get(request));
    if (before !== undefined) outcomes[at] = before;
  });
  const made = requests.flatMap((request, at) =>
    stock.hasReserved(request) ? [{ request, outcome: outcomes[at] }] : [],
  );
  if (made.length === 0) return outcomes;
  const held = await tx.query<{ made: number }>({
    ...holdStock,
    values: [...reservationColumns(made), ...stock.columns()],
  });
  if (held.rows[0]?.made === made.length) return outcomes;
  if (requests.length > 1) throw new DuplicateEffect();
  // Alone, so that nothing at all was written: this order's claim is gone, its reservation is not.
  const found = await earlierReservations(tx, requests);
  return requests.map((request) => reserved(found.get(request)) ?? notReserved());
}

function reservationColumns(made: { request: ReserveRequest; outcome: ReserveOutcome | undefined }[]): unknown[] {
  const rows = made.map(({ request, outcome }) => {
    if (outcome?.kind !== 'completed') throw new Error('only what was reserved is written down');
    return { ...outcome.result, tenantId: request.tenantId, orderId: request.orderId };
  });
  return [
    ...orderColumns(rows),
    rows.map(({ reservationId }) => reservationId),
    rows.map(({ currency }) => currency),
    rows.map(({ total }) => total),
    rows.map(({ lines }) => JSON.stringify(lines)),
  ];
}

function reserved(reservation: Reservation | undefined): ReserveOutcome | undefined {
  return reservation && { kind: 'completed', result: reservation };
}

function notReserved(): never {
  throw new Error('a reservation vanished between two statements: is something deleting reservations?');
}

export interface ReservationRow {
  tenant_id: string;
  order_id: string;
  reservation_id: string;
  state: 'held' | 'released' | 'fulfilled';
  currency: string;
  total: number;
  lines: PricedLine[];
  /** Of these lines, what was returned before it had left. */
  returned: ReturnedLine[];
}

export interface ReturnedLine {
  sku: string;
  quantity: number;
}

/** What the order still holds, line by line. */
export function heldLines({ lines, returned }: ReservationRow): PricedLine[] {
  if (returned.length === 0) return lines;
  const back = new Map<string, number>();
  for (const { sku, quantity } of returned) back.set(sku, (back.get(sku) ?? 0) + quantity);
  return lines
    .map((line) => ({ ...line, quantity: line.quantity - (back.get(line.sku) ?? 0) }))
    .filter(({ quantity }) => quantity > 0);
}

/** What these orders reserved before, when their claims are gone but the effects are not (K5). */
async function earlierReservations(
  tx: Transaction,
  requests: ReserveRequest[],
): Promise<Map<ReserveRequest, Reservation>> {
  const found = new Map<ReserveRequest, Reservation>();
  if (requests.length === 0) return found;
  const { rows } = await tx.query<ReservationRow>({ ...findReservations, values: orderColumns(requests) });
  const rowOf = byOrder(rows);
  for (const request of requests) {
    const row = rowOf(request);
    if (row !== undefined) found.set(request, sameReservation(row, request));
  }
  return found;
}

/** @throws InvalidRequest CONFLICT when it was for something else, or was given back */
function sameReservation(row: ReservationRow, request: ReserveRequest): Reservation {
  const wanted = textOf(request.lines);
  const held = textOf(row.lines);
  if (row.state === 'released' || row.currency !== request.currency || wanted !== held) {
    throw new InvalidRequest('order_id', 'this order has had its reservation: an order reserves once', 'CONFLICT');
  }
  return { reservationId: row.reservation_id, currency: row.currency, lines: row.lines, total: row.total };
}

/** Keeps them apart, whatever an SKU is written like. */
function textOf(lines: Line[]): string {
  return JSON.stringify(lines.map(({ sku, quantity }) => [sku, quantity]));
}

const lockReservationsOf = statement(
  'inventory.lock-reservations',
  `select h.tenant_id, h.order_id, h.reservation_id, h.state, h.currency, h.total, h.lines, h.returned
     from (select distinct tenant_id, order_id from unnest($1::text[], $2::text[]) as r (tenant_id, order_id)
            order by tenant_id, order_id) r,
          lateral (select tenant_id, order_id, reservation_id, state, currency, total, lines, returned from reservations h
                    where h.tenant_id = r.tenant_id and h.order_id = r.order_id for update) h`,
);

const releaseStock = statement(
  'inventory.release',
  `with released as (
     update reservations h set state = 'released', released_at = clock_timestamp()
       from unnest($1::text[], $2::text[]) as r (tenant_id, order_id)
      where h.tenant_id = r.tenant_id and h.order_id = r.order_id and h.state = 'held'
        and ${fewRowsHint('r.tenant_id', 'r.order_id')}
   )
   update stock set reserved = reserved - w.quantity, version = version + 1
     from unnest($3::text[], $4::text[], $5::bigint[]) as w (tenant_id, sku, quantity)
    where stock.tenant_id = w.tenant_id and stock.sku = w.sku and ${fewRowsHint('w.tenant_id', 'w.sku')}`,
);

/**
 * Releases what these orders hold.
 * @returns each one's reservation, or '' when the order holds nothing
 * @throws InvalidRequest CONFLICT when one of them was fulfilled
 */
export async function release(tx: Transaction, orders: OrderId[]): Promise<string[]> {
  const found = await lockReservations(tx, orders);
  if (found.some(({ state }) => state === 'fulfilled')) {
    throw new InvalidRequest('order_id', 'this order’s stock has left: it can’t be given back', 'CONFLICT');
  }
  const rows = found.filter(({ state }) => state === 'held');
  if (rows.length > 0) {
    const lines = rows.flatMap((row) => heldLines(row).map((line) => ({ tenantId: row.tenant_id, ...line })));
    const stock = await lockStock(tx, lines);
    for (const { tenantId, sku, quantity } of lines) stock.add(tenantId, sku, quantity);
    const held = [rows.map((row) => row.tenant_id), rows.map((row) => row.order_id)];
    await tx.query({ ...releaseStock, values: [...held, ...stock.columns()] });
  }
  const released = byOrder(rows);
  return orders.map((order) => released(order)?.reservation_id ?? '');
}

/** Locks the reservations of these orders, whatever their state, in order of tenant and order. @throws pg errors */
export async function lockReservations(tx: Transaction, orders: OrderId[]): Promise<ReservationRow[]> {
  return (await tx.query<ReservationRow>({ ...lockReservationsOf, values: orderColumns(orders) })).rows;
}

/** Locks the items, in order of tenant and SKU. @throws pg errors */
export async function lockStock(tx: Transaction, items: { tenantId: string; sku: string }[]): Promise<StockAllocation> {
  const columns = [items.map(({ tenantId }) => tenantId), items.map(({ sku }) => sku)];
  const { rows } = await tx.query<StockRow>({ ...lockItems, values: columns });
  return new StockAllocation(rows);
}
