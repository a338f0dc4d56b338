import type { Line, PricedLine, ReserveOutcome, ReserveRequest } from './reserve-request.ts';

/** An item's row, locked. */
export interface StockRow {
  tenant_id: string;
  sku: string;
  free: number;
  unit_price: number;
  currency: string;
}

type Refused = Extract<ReserveOutcome, { kind: 'refused' }>;

/**
 * The locked stock of a batch: who comes first is served first, and what was taken is written once per item at the end,
 * however many orders wanted it. Knows nothing of the database.
 */
export class Shelf {
  readonly #rows: Map<string, StockRow>;
  readonly #taken = new Map<string, { tenantId: string; sku: string; quantity: number }>();
  readonly #served = new Set<ReserveRequest>();

  constructor(rows: StockRow[]) {
    this.#rows = new Map(rows.map((row) => [placeOf(row.tenant_id, row.sku), row]));
  }

  /** Takes every line or none. */
  take(request: ReserveRequest): ReserveOutcome {
    const { tenantId, orderId, currency } = request;
    const rows = request.lines.map(({ sku }) => this.#rows.get(placeOf(tenantId, sku)));
    const refusal = refusalOf(request, rows);
    if (refusal !== undefined) return refusal;
    let total = 0;
    const lines = request.lines.map(({ sku, quantity }, at): PricedLine => {
      const row = rows[at];
      if (row === undefined) throw new Error(`${sku} is not on the shelf: it was not locked`);
      row.free -= quantity;
      this.count(tenantId, sku, quantity);
      total += quantity * row.unit_price;
      return { sku, quantity, unitPrice: row.unit_price };
    });
    this.#served.add(request);
    return { kind: 'reserved', reservation: { reservationId: `rsv_${orderId}`, currency, lines, total } };
  }

  hasServed(request: ReserveRequest): boolean {
    return this.#served.has(request);
  }

  /** Adds to what is to be written for the item. */
  count(tenantId: string, sku: string, quantity: number): void {
    const place = placeOf(tenantId, sku);
    const taken = this.#taken.get(place);
    if (taken === undefined) this.#taken.set(place, { tenantId, sku, quantity });
    else taken.quantity += quantity;
  }

  /** Tenants, SKUs and quantities, an item each, as the columns of a statement. */
  takenColumns(): [string[], string[], number[]] {
    const taken = [...this.#taken.values()];
    return [taken.map(({ tenantId }) => tenantId), taken.map(({ sku }) => sku), taken.map(({ quantity }) => quantity)];
  }
}

/** @param rows of the lines, in their order */
function refusalOf({ currency, lines }: ReserveRequest, rows: (StockRow | undefined)[]): Refused | undefined {
  for (let at = 0; at < lines.length; at++) {
    if (rows[at] === undefined) return refused('UNKNOWN_SKU', `the catalogue does not list ${lines[at]?.sku}`);
  }
  for (const row of rows) {
    if (row === undefined || row.currency === currency) continue;
    return refused('CURRENCY_MISMATCH', `${row.sku} is priced in ${row.currency}, the order is in ${currency}`);
  }
  for (let at = 0; at < lines.length; at++) {
    const { sku, quantity } = lines[at] as Line;
    const free = rows[at]?.free ?? 0;
    if (free < quantity) return refused('OUT_OF_STOCK', `${quantity} of ${sku} wanted, ${free} free`);
  }
  return undefined;
}

function refused(reason: Refused['reason'], message: string): Refused {
  return { kind: 'refused', reason, message };
}

function placeOf(tenantId: string, sku: string): string {
  return `${tenantId} ${sku}`;
}
