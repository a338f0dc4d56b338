import { type Query, statement } from '@holdfast/postgres';
import type { Tally } from '@holdfast/testing/audit';
import { pagesOf } from '@holdfast/testing/audit';
import { type Book, bookKey, digestOf, type Line, type Stranger } from './audit-book.ts';
import { auditSets, STOCK_SETS } from './audit-sets.ts';
import { auditChanges, auditPrices, type Prover } from './decisions/adjustments.ts';
import type { Doubt } from './decisions/doubts.ts';

export interface InventoryChecks {
  reservations: Tally;
  totals: Tally;
  stock: Tally;
  sets: Tally;
  adjustments: Tally;
}

/** What is judged when all has been read. */
export interface Later {
  strangers: Stranger[];
  doubts: Doubt[];
}

interface ReservationRow {
  tenantId: string;
  orderId: string;
  reservationId: string;
  state: 'held' | 'released' | 'fulfilled';
  currency: string;
  total: number;
  lines: (Line & { unitPrice: number })[];
  /** What was returned before it had left. */
  returned: { sku: string; quantity: number }[];
}

const RESERVATIONS = statement(
  'audit.reservations',
  `select tenant_id as "tenantId", order_id as "orderId", reservation_id as "reservationId", state, currency, total, lines,
          returned
     from reservations where (tenant_id, order_id) > ($1::text, $2::text)
    order by tenant_id, order_id limit $3::integer`,
);

/** What reservations take of one item, and what refunds bring back of it after it had left. */
interface Taken {
  held: number;
  fulfilled: number;
  restocked: number;
}

const NOTHING_TAKEN: Taken = { held: 0, fulfilled: 0, restocked: 0 };

/** @param db one snapshot of inventory's database, so that stock and reservations belong together */
export async function auditInventory(
  db: Query,
  book: Book,
  checks: InventoryChecks,
  { strangers, doubts, prover }: Later & { prover: Prover },
): Promise<void> {
  const taken = new Map<string, Taken>();
  const restocks = await readRestocks(db, book, { taken, doubts, check: checks.stock });
  const cursor = (row: ReservationRow) => [row.tenantId, row.orderId];
  for await (const page of pagesOf<ReservationRow>(db, RESERVATIONS, 2, cursor)) {
    for (const row of page) {
      addTaken(taken, row);
      judgeReturns(row, restocks.get(bookKey(row.tenantId, row.orderId)), checks.stock);
      judgeReservation(row, book, checks, { strangers, doubts });
    }
    checks.reservations.look(page.length);
    checks.totals.look(page.length);
  }
  await auditStock(db, taken, checks.stock);
  await auditSets(db, STOCK_SETS, checks.sets);
  await auditChanges(db, 'stock', prover, checks.adjustments);
  await auditPrices(db, checks.adjustments);
}

function addTaken(taken: Map<string, Taken>, row: ReservationRow): void {
  if (row.state === 'released') return;
  const { state } = row;
  for (const { sku, quantity } of row.lines) addTo(taken, itemKey(row.tenantId, sku), state, quantity);
  for (const { sku, quantity } of row.returned) addTo(taken, itemKey(row.tenantId, sku), state, -quantity);
}

function addTo(taken: Map<string, Taken>, item: string, what: keyof Taken, quantity: number): void {
  const before = taken.get(item) ?? { ...NOTHING_TAKEN };
  before[what] += quantity;
  taken.set(item, before);
}

function judgeReservation(row: ReservationRow, book: Book, checks: InventoryChecks, later: Later): void {
  const { tenantId, orderId } = row;
  const sum = row.lines.reduce((total, line) => total + line.quantity * line.unitPrice, 0);
  if (sum !== row.total) {
    checks.totals.violation(orderId, `its reservation's total is ${row.total}, its lines add up to ${sum}`);
  }
  const isLive = row.state !== 'released';
  const order = book.get(bookKey(tenantId, orderId));
  if (order === undefined) {
    if (isLive) later.strangers.push({ tenantId, orderId, check: checks.reservations, detail: 'stock is held' });
    return;
  }
  order.isHeld = isLive;
  order.isFulfilled = row.state === 'fulfilled';
  if (!isLive && order.expects === 'unjudged') {
    later.doubts.push({ tenantId, orderId, needs: 'turned_back', detail: 'its stock is released' });
  }
  if (isLive && order.expects === 'none')
    checks.reservations.violation(orderId, 'is turned back and still holds stock');
  if (order.expects !== 'one') return;
  if (isLive && order.reservationId !== row.reservationId) {
    checks.reservations.violation(orderId, `was told ${order.reservationId} and holds ${row.reservationId}`);
  }
  if (order.notAsShown !== null) checks.totals.violation(orderId, order.notAsShown);
  if (order.itemsTotal !== row.total || order.currency !== row.currency) {
    const told = `${order.itemsTotal} ${order.currency}`;
    checks.totals.violation(orderId, `was told a total of ${told}, its reservation has ${row.total} ${row.currency}`);
  }
  if (digestOf(row.lines) !== order.lines) {
    checks.totals.violation(orderId, 'its items and prices are not those of its reservation');
  }
}

interface RestockRow {
  tenantId: string;
  orderId: string;
  refundId: string;
  state: 'reserved' | 'restocked' | 'released';
  hadLeft: boolean | null;
  lines: { sku: string; quantity: number }[];
}

const RESTOCKS = statement(
  'audit.restocks',
  `select tenant_id as "tenantId", order_id as "orderId", refund_id as "refundId", state, had_left as "hadLeft", lines
     from restocks where (tenant_id, order_id, refund_id) > ($1::text, $2::text, $3::text)
    order by tenant_id, order_id, refund_id limit $4::integer`,
);

/** What an order has brought back, by SKU: in all, and of that before it had left. */
interface Returns {
  all: Map<string, number>;
  unsent: Map<string, number>;
}

async function readRestocks(
  db: Query,
  book: Book,
  { taken, doubts, check }: { taken: Map<string, Taken>; doubts: Doubt[]; check: Tally },
): Promise<Map<string, Returns>> {
  const returns = new Map<string, Returns>();
  const cursor = (row: RestockRow) => [row.tenantId, row.orderId, row.refundId];
  const known = new Map<string, RestockRow['state']>();
  for await (const page of pagesOf<RestockRow>(db, RESTOCKS, 3, cursor)) {
    for (const row of page) {
      known.set(bookKey(row.tenantId, row.refundId), row.state);
      doubtRestock(row, book, doubts);
      if (row.state !== 'restocked') continue;
      const key = bookKey(row.tenantId, row.orderId);
      const order = returns.get(key) ?? { all: new Map(), unsent: new Map() };
      returns.set(key, order);
      for (const { sku, quantity } of row.lines) {
        if (row.hadLeft) addTo(taken, itemKey(row.tenantId, sku), 'restocked', quantity);
        else order.unsent.set(sku, (order.unsent.get(sku) ?? 0) + quantity);
        order.all.set(sku, (order.all.get(sku) ?? 0) + quantity);
      }
    }
  }
  for (const [key, order] of book) {
    const tenantId = key.slice(0, key.lastIndexOf(':'));
    for (const [refundId, { expects, restocks }] of order.refunds) {
      const state = known.get(bookKey(tenantId, refundId));
      if (expects === 'given' && restocks > 0 && state !== 'restocked') {
        check.violation(refundId, `has brought ${restocks} back, and inventory says ${state ?? 'nothing'}`);
      }
      if (expects === 'not_given' && state === 'restocked') {
        check.violation(refundId, 'has failed, and what it brings back is counted');
      }
    }
  }
  return returns;
}

/** Of a refund that the book does not have, or not like this. One that was given up counts nothing. */
function doubtRestock({ tenantId, orderId, refundId, state, lines }: RestockRow, book: Book, doubts: Doubt[]): void {
  const pieces = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const booked = book.get(bookKey(tenantId, orderId))?.refunds.get(refundId);
  if (state === 'released' || booked?.restocks === pieces) return;
  const detail = `${pieces} pieces are brought back by ${refundId}`;
  doubts.push({ tenantId, orderId, needs: 'refund', refundId, pieces, detail });
}

/** An order brings back what it was sold at most; and what it no longer holds is what came back before it left. */
function judgeReturns(row: ReservationRow, returns: Returns | undefined, check: Tally): void {
  const sumOf = (lines: { sku: string; quantity: number }[], sku: string) =>
    lines.reduce((sum, line) => (line.sku === sku ? sum + line.quantity : sum), 0);
  for (const { sku, quantity } of row.lines) {
    const back = returns?.all.get(sku) ?? 0;
    if (back > quantity) check.violation(row.orderId, `${quantity} of ${sku} were sold, ${back} were brought back`);
    const unsent = returns?.unsent.get(sku) ?? 0;
    const returned = sumOf(row.returned, sku);
    if (unsent !== returned) {
      check.violation(row.orderId, `${returned} of ${sku} are no longer held, refunds brought ${unsent} back unsent`);
    }
  }
}

interface StockRow {
  tenantId: string;
  sku: string;
  onHand: number;
  reserved: number;
  entries: number;
  fulfilled: number;
  restocked: number;
}

const STOCK = statement(
  'audit.stock',
  `select s.tenant_id as "tenantId", s.sku, s.on_hand as "onHand", s.reserved, e.entries, e.fulfilled,
          e.restocked
     from (select tenant_id, sku, on_hand, reserved from stock where (tenant_id, sku) > ($1::text, $2::text)
            order by tenant_id, sku limit $3::integer) s
    cross join lateral (
      select coalesce(sum(delta), 0)::bigint as entries,
             coalesce(-sum(delta) filter (where kind = 'fulfil'), 0)::bigint as fulfilled,
             coalesce(sum(delta) filter (where kind = 'restock'), 0)::bigint as restocked
        from stock_entries e where e.tenant_id = s.tenant_id and e.sku = s.sku) e
    order by s.tenant_id, s.sku`,
);

const LONE_STOCK_ENTRIES = statement(
  'audit.lone-stock-entries',
  `select tenant_id as "tenantId", sku, entry_key as "entryKey" from stock_entries e
    where (tenant_id, sku, entry_key) > ($1::text, $2::text, $3::text)
      and not exists (select from stock s where s.tenant_id = e.tenant_id and s.sku = e.sku)
    order by tenant_id, sku, entry_key limit $4::integer`,
);

async function auditStock(db: Query, taken: Map<string, Taken>, check: Tally): Promise<void> {
  for await (const page of pagesOf<StockRow>(db, STOCK, 2, (row) => [row.tenantId, row.sku])) {
    for (const row of page) {
      const key = itemKey(row.tenantId, row.sku);
      judgeStock(row, taken.get(key) ?? NOTHING_TAKEN, check);
      taken.delete(key);
    }
    check.look(page.length);
  }
  for (const [key, { held }] of taken) {
    if (held > 0) check.violation(key, `orders hold ${held} of it, and the catalogue does not list it`);
  }
  const cursor = (row: { tenantId: string; sku: string; entryKey: string }) => [row.tenantId, row.sku, row.entryKey];
  for await (const page of pagesOf(db, LONE_STOCK_ENTRIES, 3, cursor)) {
    for (const { tenantId, sku } of page) check.violation(itemKey(tenantId, sku), 'has an entry and no stock');
  }
}

function judgeStock(row: StockRow, taken: Taken, check: Tally): void {
  const item = itemKey(row.tenantId, row.sku);
  if (row.onHand !== row.entries) {
    check.violation(item, `${row.onHand} are on hand, its entries add up to ${row.entries}`);
  }
  if (row.reserved !== taken.held) {
    check.violation(item, `${row.reserved} are reserved, orders hold ${taken.held}`);
  }
  if (row.fulfilled !== taken.fulfilled) {
    check.violation(item, `${row.fulfilled} were fulfilled by its entries, ${taken.fulfilled} by its orders`);
  }
  if (row.restocked !== taken.restocked) {
    check.violation(item, `${row.restocked} were restocked by its entries, ${taken.restocked} by refunds`);
  }
  if (row.reserved < 0 || row.reserved > row.onHand) {
    check.violation(item, `oversold: ${row.reserved} are reserved, ${row.onHand} are on hand`);
  }
}

function itemKey(tenantId: string, sku: string): string {
  return `${tenantId}:${sku}`;
}
