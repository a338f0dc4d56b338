/*
 * Reserving and releasing stock for an order. Runs inside the claim's transaction (K1).
 *
 * A1  0 <= reserved <= on_hand, held twice: by the check here, under the rows' locks, and by the table's constraint.
 * K5  A reservation's primary key is its order: a second one can't exist, even when the claim is long gone.
 * Locks: stock rows are always locked in order of SKU, so that two orders can't wait for each other in a circle.
 */
import { statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';

export interface Line {
  sku: string;
  quantity: number;
}

export interface PricedLine extends Line {
  /** Minor units of the reservation's currency, each. */
  unitPrice: number;
}

export interface Reservation {
  reservationId: string;
  currency: string;
  lines: PricedLine[];
  total: number;
}

export type ReserveOutcome =
  | { kind: 'reserved'; reservation: Reservation }
  | { kind: 'refused'; reason: 'UNKNOWN_SKU' | 'CURRENCY_MISMATCH' | 'OUT_OF_STOCK'; message: string };

export interface ReserveRequest {
  tenantId: string;
  orderId: string;
  currency: string;
  lines: Line[];
}

interface StockRow {
  sku: string;
  free: number;
  unit_price: number;
  currency: string;
}

const lockStock = statement(
  'inventory.lock-stock',
  `select sku, on_hand - reserved as free, unit_price, currency
     from stock where tenant_id = $1::text and sku = any($2::text[])
    order by sku for update`,
);

const addReserved = statement(
  'inventory.add-reserved',
  `update stock set reserved = reserved + line.quantity
     from unnest($2::text[], $3::int[]) as line (sku, quantity)
    where stock.tenant_id = $1::text and stock.sku = line.sku`,
);

// One statement, so that stock is held if and only if this call made the reservation: the conflict is K5's guard.
const holdStock = statement(
  'inventory.hold-stock',
  `with made as (
     insert into reservations (tenant_id, order_id, reservation_id, state, currency, total, lines)
     values ($1::text, $4::text, $5::text, 'held', $6::text, $7::bigint, $8::jsonb)
     on conflict (tenant_id, order_id) do nothing
     returning true
   ), held as (
     update stock set reserved = reserved + line.quantity
       from unnest($2::text[], $3::int[]) as line (sku, quantity)
      where stock.tenant_id = $1::text and stock.sku = line.sku and exists (select from made)
   )
   select true from made`,
);

const findReservation = statement(
  'inventory.find-reservation',
  `select reservation_id, state, currency, total, lines from reservations
    where tenant_id = $1::text and order_id = $2::text`,
);

/** Reserves every line or none. @throws InvalidRequest CONFLICT when the order has had another reservation */
export async function reserve(tx: Transaction, request: ReserveRequest): Promise<ReserveOutcome> {
  const { tenantId, orderId, currency } = request;
  const skus = request.lines.map((line) => line.sku);
  const { rows } = await tx.query<StockRow>({ ...lockStock, values: [tenantId, skus] });
  const stock = new Map(rows.map((row) => [row.sku, row]));
  const refusal = refusalOf(request, stock);
  // What is free may be little because this very order holds the rest: ask before refusing. Refusals are rare enough.
  if (refusal !== undefined) return reserved(await earlierReservation(tx, request)) ?? refusal;

  const lines = request.lines.map((line) => ({ ...line, unitPrice: stock.get(line.sku)?.unit_price ?? 0 }));
  const total = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
  const reservation = { reservationId: `rsv_${orderId}`, currency, lines, total };
  const quantities = request.lines.map((line) => line.quantity);
  const { reservationId } = reservation;
  const made = await tx.query({
    ...holdStock,
    values: [tenantId, skus, quantities, orderId, reservationId, currency, total, JSON.stringify(lines)],
  });
  const standing = made.rowCount === 1 ? reservation : await earlierReservation(tx, request);
  return reserved(standing) ?? notReserved();
}

function reserved(reservation: Reservation | undefined): ReserveOutcome | undefined {
  return reservation && { kind: 'reserved', reservation };
}

function notReserved(): never {
  throw new Error('a reservation vanished between two statements: is something deleting reservations?');
}

function refusalOf(request: ReserveRequest, stock: Map<string, StockRow>): ReserveOutcome | undefined {
  const refused = (reason: 'UNKNOWN_SKU' | 'CURRENCY_MISMATCH' | 'OUT_OF_STOCK', message: string): ReserveOutcome => ({
    kind: 'refused',
    reason,
    message,
  });
  for (const line of request.lines) {
    if (!stock.has(line.sku)) return refused('UNKNOWN_SKU', `the catalogue does not list ${line.sku}`);
  }
  for (const row of stock.values()) {
    if (row.currency !== request.currency) {
      return refused(
        'CURRENCY_MISMATCH',
        `${row.sku} is priced in ${row.currency}, the order is in ${request.currency}`,
      );
    }
  }
  for (const line of request.lines) {
    const free = stock.get(line.sku)?.free ?? 0;
    if (free < line.quantity) return refused('OUT_OF_STOCK', `${line.quantity} of ${line.sku} wanted, ${free} free`);
  }
  return undefined;
}

interface ReservationRow {
  reservation_id: string;
  state: 'held' | 'released' | 'fulfilled';
  currency: string;
  total: number;
  lines: PricedLine[];
}

/** What this order reserved before, when its claim is gone but the effect is not (K5). */
async function earlierReservation(tx: Transaction, request: ReserveRequest): Promise<Reservation | undefined> {
  const { rows } = await tx.query<ReservationRow>({
    ...findReservation,
    values: [request.tenantId, request.orderId],
  });
  const row = rows[0];
  if (row === undefined) return undefined;
  const wanted = request.lines.map((line) => `${line.sku} ${line.quantity}`).join();
  const held = row.lines.map((line) => `${line.sku} ${line.quantity}`).join();
  if (row.state === 'released' || row.currency !== request.currency || wanted !== held) {
    throw new InvalidRequest('order_id', 'this order has had its reservation: an order reserves once', 'CONFLICT');
  }
  return { reservationId: row.reservation_id, currency: row.currency, lines: row.lines, total: row.total };
}

const lockReservation = statement(
  'inventory.lock-reservation',
  `select reservation_id, lines from reservations
    where tenant_id = $1::text and order_id = $2::text and state = 'held' for update`,
);

const markReleased = statement(
  'inventory.mark-released',
  `update reservations set state = 'released', released_at = clock_timestamp()
    where tenant_id = $1::text and order_id = $2::text and state = 'held'`,
);

/** Gives back what the order holds. @returns the reservation's id, or '' when the order holds nothing */
export async function release(tx: Transaction, tenantId: string, orderId: string): Promise<string> {
  const held = await tx.query<Pick<ReservationRow, 'reservation_id' | 'lines'>>({
    ...lockReservation,
    values: [tenantId, orderId],
  });
  const row = held.rows[0];
  if (row === undefined) return '';
  const skus = row.lines.map((line) => line.sku);
  await tx.query({ ...lockStock, values: [tenantId, skus] });
  await tx.query({ ...addReserved, values: [tenantId, skus, row.lines.map((line) => -line.quantity)] });
  await tx.query({ ...markReleased, values: [tenantId, orderId] });
  return row.reservation_id;
}
