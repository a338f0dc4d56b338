/*
 * What customers bring back: decided before their money moves, counted after it. Runs inside the claims' transaction (K1).
 *
 * A1  An order brings back no more than it was sold, all refunds together: decided under the lock of its reservation.
 *     Goods that had left are on hand again, with an entry; those that had not are no longer held, and never fulfilled.
 * K5  A restock's primary key is its refund, and its entry's key is made of it: it counts once.
 * K8  A restock raises the version of its stock: a PUT that was decided before it does not undo it.
 * K3  The undo finds what was decided and not counted, and takes it back.
 * Locks: reservations, then stock rows, each in order of their key, as reservations and fulfilments do.
 */
import { byOrder, type EffectOutcome, type OrderId, orderColumns } from '@holdfast/participant';
import { fewRowsHint, statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import { lockReservations, lockStock, type ReservationRow, type ReturnedLine } from './reservation.ts';
import { StockAllocation } from './stock-allocation.ts';

export interface RestockId extends OrderId {
  refundId: string;
}

export type RestockRefusal = 'RESTOCK_EXCEEDS_SOLD' | 'NOT_REFUNDABLE';
export type RestockOutcome = EffectOutcome<Record<never, never>, RestockRefusal>;

interface RestockRow {
  tenant_id: string;
  order_id: string;
  refund_id: string;
  state: 'reserved' | 'restocked' | 'released';
  lines: ReturnedLine[];
}

const findRestocks = statement(
  'inventory.find-restocks',
  `select b.tenant_id, b.order_id, b.refund_id, b.state, b.lines
     from (select distinct tenant_id, order_id from unnest($1::text[], $2::text[]) as r (tenant_id, order_id)) r,
          lateral (select * from restocks b
                    where b.tenant_id = r.tenant_id and b.order_id = r.order_id offset 0) b`,
);

/** Every restock of these orders; their reservations are locked. */
async function restocksOf(tx: Transaction, orders: OrderId[]): Promise<RestockRow[]> {
  return (await tx.query<RestockRow>({ ...findRestocks, values: orderColumns(orders) })).rows;
}

const insertRestocks = statement(
  'inventory.reserve-restocks',
  `insert into restocks (tenant_id, order_id, refund_id, state, lines)
   select tenant_id, order_id, refund_id, 'reserved', lines
     from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[]) as r (tenant_id, order_id, refund_id, lines)`,
);

/** Decides what each of these refunds may bring back; those of one order see each other. */
export async function reserveRestocks(
  tx: Transaction,
  requests: (RestockId & { lines: ReturnedLine[] })[],
): Promise<RestockOutcome[]> {
  const reservationOf = byOrder(await lockReservations(tx, requests));
  const rows = await restocksOf(tx, requests);
  const made: RestockRow[] = [];
  const outcomes = requests.map((request): RestockOutcome => {
    const before = rows.find(isOf(request));
    if (before !== undefined) {
      if (before.state === 'released') conflict();
      return { kind: 'completed', result: {} };
    }
    const reservation = reservationOf(request);
    const refusal = refusalOf(request.lines, reservation, [...rows, ...made].filter(isOfOrder(request)));
    if (refusal !== undefined) return refusal;
    const { tenantId, orderId, refundId, lines } = request;
    made.push({ tenant_id: tenantId, order_id: orderId, refund_id: refundId, state: 'reserved', lines });
    return { kind: 'completed', result: {} };
  });
  if (made.length > 0) {
    const texts = made.map(({ lines }) => JSON.stringify(lines));
    await tx.query({ ...insertRestocks, values: [...restockColumns(made), texts] });
  }
  return outcomes;
}

function refusalOf(
  wanted: ReturnedLine[],
  reservation: ReservationRow | undefined,
  others: RestockRow[],
): RestockOutcome | undefined {
  if (reservation === undefined || reservation.state === 'released') {
    return { kind: 'refused', reason: 'NOT_REFUNDABLE', message: 'this order holds no goods and has sold none' };
  }
  const taken = others.filter(({ state }) => state !== 'released').flatMap(({ lines }) => lines);
  for (const { sku, quantity } of wanted) {
    const sold = quantityOf(reservation.lines, sku);
    const left = sold - quantityOf(taken, sku);
    if (quantity <= left) continue;
    const message = `${sold} of ${sku} were sold and ${left} of those are left to bring back: ask for no more`;
    return { kind: 'refused', reason: 'RESTOCK_EXCEEDS_SOLD', message };
  }
  return undefined;
}

function quantityOf(lines: ReturnedLine[], sku: string): number {
  return lines.reduce((sum, line) => (line.sku === sku ? sum + line.quantity : sum), 0);
}

function conflict(): never {
  throw new InvalidRequest('refund_id', 'what this refund brings back was given up before', 'CONFLICT');
}

const settleRestocks = statement(
  'inventory.settle-restocks',
  `update restocks b set state = r.state, had_left = r.had_left, settled_at = clock_timestamp()
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[])
       as r (tenant_id, order_id, refund_id, state, had_left)
    where b.tenant_id = r.tenant_id and b.order_id = r.order_id and b.refund_id = r.refund_id
      and b.state = 'reserved' and ${fewRowsHint('r.tenant_id', 'r.order_id')}`,
);

/** Gives up what these refunds were to bring back. @throws InvalidRequest CONFLICT when it was counted */
export async function releaseRestocks(tx: Transaction, refunds: RestockId[]): Promise<void> {
  await lockReservations(tx, refunds);
  const rows = await restocksOf(tx, refunds);
  const found = refunds.flatMap((refund) => rows.filter(isOf(refund)));
  if (found.some(({ state }) => state === 'restocked')) {
    throw new InvalidRequest('refund_id', 'what this refund brought back is counted: it can’t be undone', 'CONFLICT');
  }
  await settle(
    tx,
    found.map((row) => ({ row, state: 'released', hadLeft: null })),
  );
}

interface Settled {
  row: RestockRow;
  state: 'restocked' | 'released';
  hadLeft: boolean | null;
}

async function settle(tx: Transaction, settled: Settled[]): Promise<void> {
  if (settled.length === 0) return;
  await tx.query({
    ...settleRestocks,
    values: [
      ...restockColumns(settled.map(({ row }) => row)),
      settled.map(({ state }) => state),
      settled.map(({ hadLeft }) => hadLeft),
    ],
  });
}

const countOnHand = statement(
  'inventory.count-restocked',
  `with entered as (
     insert into stock_entries (tenant_id, sku, entry_key, kind, delta)
     select tenant_id, sku, entry_key, 'restock', quantity
       from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as e (tenant_id, sku, entry_key, quantity)
   )
   update stock set on_hand = on_hand + w.quantity, version = version + 1
     from unnest($5::text[], $6::text[], $7::bigint[]) as w (tenant_id, sku, quantity)
    where stock.tenant_id = w.tenant_id and stock.sku = w.sku and ${fewRowsHint('w.tenant_id', 'w.sku')}`,
);

const holdNoLonger = statement(
  'inventory.return-held',
  `with returned as (
     update reservations h set returned = h.returned || r.lines
       from unnest($1::text[], $2::text[], $3::jsonb[]) as r (tenant_id, order_id, lines)
      where h.tenant_id = r.tenant_id and h.order_id = r.order_id and ${fewRowsHint('r.tenant_id', 'r.order_id')}
   )
   update stock set reserved = reserved - w.quantity, version = version + 1
     from unnest($4::text[], $5::text[], $6::bigint[]) as w (tenant_id, sku, quantity)
    where stock.tenant_id = w.tenant_id and stock.sku = w.sku and ${fewRowsHint('w.tenant_id', 'w.sku')}`,
);

/** Counts what these refunds bring back, or gives it up. @returns what each one has brought back */
export async function restock(
  tx: Transaction,
  requests: (RestockId & { giveUp: boolean })[],
): Promise<ReturnedLine[][]> {
  const reservationOf = byOrder(await lockReservations(tx, requests));
  const rows = await restocksOf(tx, requests);
  const settled: Settled[] = [];
  for (const request of requests) {
    const row = rows.find(isOf(request));
    if (row === undefined) throw new InvalidRequest('refund_id', 'this refund brings nothing back', 'CONFLICT');
    if (row.state !== 'reserved') continue;
    const hadLeft = reservationOf(request)?.state === 'fulfilled';
    settled.push({ row, state: request.giveUp ? 'released' : 'restocked', hadLeft: request.giveUp ? null : hadLeft });
  }
  const counted = settled.filter(({ state }) => state === 'restocked');
  if (counted.length > 0) await lockStock(tx, linesOf(counted));
  await countBack(
    tx,
    counted.filter(({ hadLeft }) => hadLeft),
  );
  await takeOffHeld(
    tx,
    counted.filter(({ hadLeft }) => !hadLeft),
  );
  await settle(tx, settled);
  return requests.map((request) => {
    const now = settled.find(({ row }) => isOf(request)(row));
    const before = rows.find(isOf(request));
    const isCounted = now === undefined ? before?.state === 'restocked' : now.state === 'restocked';
    return isCounted ? (before?.lines ?? []) : [];
  });
}

async function countBack(tx: Transaction, counted: Settled[]): Promise<void> {
  if (counted.length === 0) return;
  const lines = linesOf(counted);
  const stock = new StockAllocation([]);
  for (const { tenantId, sku, quantity } of lines) stock.add(tenantId, sku, quantity);
  await tx.query({
    ...countOnHand,
    values: [
      lines.map(({ tenantId }) => tenantId),
      lines.map(({ sku }) => sku),
      // Has a character that no caller's key has: an adjustment under the refund's id is another entry.
      lines.map(({ refundId }) => `restock/${refundId}`),
      lines.map(({ quantity }) => quantity),
      ...stock.columns(),
    ],
  });
}

async function takeOffHeld(tx: Transaction, counted: Settled[]): Promise<void> {
  if (counted.length === 0) return;
  const lines = linesOf(counted);
  const stock = new StockAllocation([]);
  for (const { tenantId, sku, quantity } of lines) stock.add(tenantId, sku, quantity);
  // Several refunds of one order change its row once.
  const byOrderKey = Map.groupBy(counted, ({ row }) => `${row.tenant_id} ${row.order_id}`);
  const orders = [...byOrderKey.values()].map((group) => ({
    row: group[0]?.row as RestockRow,
    lines: group.flatMap(({ row }) => row.lines),
  }));
  await tx.query({
    ...holdNoLonger,
    values: [
      orders.map(({ row }) => row.tenant_id),
      orders.map(({ row }) => row.order_id),
      orders.map((order) => JSON.stringify(order.lines)),
      ...stock.columns(),
    ],
  });
}

function linesOf(counted: Settled[]): (ReturnedLine & { tenantId: string; refundId: string })[] {
  return counted.flatMap(({ row }) =>
    row.lines.map(({ sku, quantity }) => ({ tenantId: row.tenant_id, refundId: row.refund_id, sku, quantity })),
  );
}

function restockColumns(rows: Pick<RestockRow, 'tenant_id' | 'order_id' | 'refund_id'>[]): string[][] {
  return [rows.map((row) => row.tenant_id), rows.map((row) => row.order_id), rows.map((row) => row.refund_id)];
}

function isOfOrder({ tenantId, orderId }: OrderId): (row: RestockRow) => boolean {
  return (row) => row.tenant_id === tenantId && row.order_id === orderId;
}

function isOf(refund: RestockId): (row: RestockRow) => boolean {
  return (row) => isOfOrder(refund)(row) && row.refund_id === refund.refundId;
}
