import type { PricedLine, ReserveOutcome, ReserveRequest } from './reservation.ts';

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
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) return refusal;
    const lines: PricedLine[] = [];
    for (const line of request.lines) {
      const row = this.#row(request.tenantId, line.sku);
      if (row === undefined) throw new Error(`${line.sku} is not on the shelf: it was not locked`);
      row.free -= line.quantity;
      this.count({ tenantId: request.tenantId, ...line });
      lines.push({ ...line, unitPrice: row.unit_price });
    }
    this.#served.add(request);
    const total = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
    const { currency } = request;
    return { kind: 'reserved', reservation: { reservationId: `rsv_${request.orderId}`, currency, lines, total } };
  }

  hasServed(request: ReserveRequest): boolean {
    return this.#served.has(request);
  }

  /** Adds to what is to be written for the item. */
  count(line: { tenantId: string; sku: string; quantity: number }): void {
    const place = placeOf(line.tenantId, line.sku);
    const taken = this.#taken.get(place);
    if (taken === undefined) this.#taken.set(place, { ...line });
    else taken.quantity += line.quantity;
  }

  /** Tenants, SKUs and quantities, an item each, as the columns of a statement. */
  takenColumns(): [string[], string[], number[]] {
    const taken = [...this.#taken.values()];
    return [taken.map(({ tenantId }) => tenantId), taken.map(({ sku }) => sku), taken.map(({ quantity }) => quantity)];
  }

  #row(tenantId: string, sku: string): StockRow | undefined {
    return this.#rows.get(placeOf(tenantId, sku));
  }

  #refusalOf({ tenantId, currency, lines }: ReserveRequest): Refused | undefined {
    for (const { sku } of lines) {
      if (this.#row(tenantId, sku) === undefined) return refused('UNKNOWN_SKU', `the catalogue does not list ${sku}`);
    }
    for (const { sku } of lines) {
      const row = this.#row(tenantId, sku);
      if (row === undefined || row.currency === currency) continue;
      return refused('CURRENCY_MISMATCH', `${sku} is priced in ${row.currency}, the order is in ${currency}`);
    }
    for (const { sku, quantity } of lines) {
      const free = this.#row(tenantId, sku)?.free ?? 0;
      if (free < quantity) return refused('OUT_OF_STOCK', `${quantity} of ${sku} wanted, ${free} free`);
    }
    return undefined;
  }
}

function refused(reason: Refused['reason'], message: string): Refused {
  return { kind: 'refused', reason, message };
}

function placeOf(tenantId: string, sku: string): string {
  return `${tenantId} ${sku}`;
}
