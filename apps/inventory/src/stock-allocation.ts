import { pricesMetadata } from '@holdfast/contracts';
import type { Refused } from '@holdfast/participant';
import type { Line, PricedLine, RefusalReason, ReserveOutcome, ReserveRequest } from './reserve-request.ts';

/** Prices that a refusal lists. */
const MAX_TOLD = 20;

/** An item's row, locked. */
export interface StockRow {
  tenant_id: string;
  sku: string;
  free: number;
  unit_price: number;
  currency: string;
}

/**
 * Allocates the locked stock of a batch: first come, first served. What was allocated is written once per item at the end,
 * however many orders wanted it. Knows nothing of the database.
 */
export class StockAllocation {
  readonly #rows: Map<string, StockRow>;
  readonly #allocated = new Map<string, { tenantId: string; sku: string; quantity: number }>();
  readonly #reserved = new Set<ReserveRequest>();

  constructor(rows: StockRow[]) {
    this.#rows = new Map(rows.map((row) => [itemKey(row.tenant_id, row.sku), row]));
  }

  /** Allocates every line or none. */
  allocate(request: ReserveRequest): ReserveOutcome {
    const { tenantId, orderId, currency } = request;
    const rows = request.lines.map(({ sku }) => this.#rows.get(itemKey(tenantId, sku)));
    const refusal = refusalOf(request, rows);
    if (refusal !== undefined) return refusal;
    let total = 0;
    const lines = request.lines.map(({ sku, quantity }, at): PricedLine => {
      const row = rows[at];
      if (row === undefined) throw new Error(`${sku} can't be allocated: it was not locked`);
      row.free -= quantity;
      this.add(tenantId, sku, quantity);
      total += quantity * row.unit_price;
      return { sku, quantity, unitPrice: row.unit_price };
    });
    this.#reserved.add(request);
    return { kind: 'completed', result: { reservationId: `rsv_${orderId}`, currency, lines, total } };
  }

  hasReserved(request: ReserveRequest): boolean {
    return this.#reserved.has(request);
  }

  /** Adds to what is to be written for the item. */
  add(tenantId: string, sku: string, quantity: number): void {
    const item = itemKey(tenantId, sku);
    const allocated = this.#allocated.get(item);
    if (allocated === undefined) this.#allocated.set(item, { tenantId, sku, quantity });
    else allocated.quantity += quantity;
  }

  /** Tenants, SKUs and quantities, an item each, as the columns of a statement. */
  columns(): [string[], string[], number[]] {
    const allocated = [...this.#allocated.values()];
    return [
      allocated.map(({ tenantId }) => tenantId),
      allocated.map(({ sku }) => sku),
      allocated.map(({ quantity }) => quantity),
    ];
  }
}

/** @param rows of the lines, in their order */
function refusalOf(request: ReserveRequest, rows: (StockRow | undefined)[]): Refused<RefusalReason> | undefined {
  const { currency, lines } = request;
  for (let at = 0; at < lines.length; at++) {
    if (rows[at] === undefined) return refused('UNKNOWN_SKU', `the catalogue does not list ${lines[at]?.sku}`);
  }
  for (const row of rows) {
    if (row === undefined || row.currency === currency) continue;
    return refused('CURRENCY_MISMATCH', `${row.sku} is priced in ${row.currency}, the order is in ${currency}`);
  }
  const changed = changeOfPrice(request, rows as StockRow[]);
  if (changed !== undefined) return changed;
  for (let at = 0; at < lines.length; at++) {
    const { sku, quantity } = lines[at] as Line;
    const free = rows[at]?.free ?? 0;
    if (free < quantity) return refused('OUT_OF_STOCK', `${quantity} of ${sku} wanted, ${free} free`);
  }
  return undefined;
}

/** What the customer was shown differs, or there can be no such total: the prices as they are. @returns undefined when all is right */
function changeOfPrice(
  { lines, beside, expectedTotal }: ReserveRequest,
  rows: StockRow[],
): Refused<RefusalReason> | undefined {
  let items = 0;
  let isSame = true;
  for (const [at, { quantity, unitPrice }] of lines.entries()) {
    const price = rows[at]?.unit_price ?? 0;
    items += quantity * price;
    if (unitPrice !== undefined && unitPrice !== price) isSame = false;
  }
  const total = items + beside;
  const isExact = Number.isSafeInteger(items) && Number.isSafeInteger(total);
  if (isSame && isExact && total >= 0 && (expectedTotal === undefined || expectedTotal === total)) return undefined;
  const told = pricesOf(lines, rows);
  if (!isExact) told.push('the total passes 2^53 - 1');
  else if (total < 0) told.push(`the discounts take ${-total} more than there is to pay`);
  else told.push(`the total is ${total}${expectedTotal === total ? '' : asShown(expectedTotal)}`);
  // People are told some, programs all of them.
  const metadata = pricesMetadata({
    unitPrices: rows.map(({ unit_price }) => unit_price),
    total: isExact ? total : null,
  });
  return { ...refused('PRICE_CHANGED', told.join('; ')), metadata };
}

/** Those that have changed first; no more than a person reads. */
function pricesOf(lines: Line[], rows: StockRow[]): string[] {
  const prices = lines.map(({ sku, unitPrice }, at) => {
    const price = rows[at]?.unit_price;
    const hasChanged = unitPrice !== undefined && unitPrice !== price;
    return { hasChanged, text: `${sku} costs ${price}${hasChanged ? asShown(unitPrice) : ''}` };
  });
  const [changed, others] = [prices.filter((price) => price.hasChanged), prices.filter((price) => !price.hasChanged)];
  const told = [...changed, ...others].map(({ text }) => text);
  const more = told.length - MAX_TOLD;
  return more > 0 ? [...told.slice(0, MAX_TOLD), `and ${more} more`] : told;
}

function asShown(value: number | undefined): string {
  return value === undefined ? '' : `, ${value} was shown`;
}

function refused(reason: RefusalReason, message: string): Refused<RefusalReason> {
  return { kind: 'refused', reason, message };
}

function itemKey(tenantId: string, sku: string): string {
  return `${tenantId} ${sku}`;
}
