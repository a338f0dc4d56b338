import type { EffectOutcome, OrderId } from '@holdfast/participant';

export interface Line {
  sku: string;
  quantity: number;
  /** The price that the customer was shown; undefined: any. */
  unitPrice?: number | undefined;
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

export type RefusalReason = 'UNKNOWN_SKU' | 'CURRENCY_MISMATCH' | 'PRICE_CHANGED' | 'OUT_OF_STOCK';
export type ReserveOutcome = EffectOutcome<Reservation, RefusalReason>;

export interface ReserveRequest extends OrderId {
  currency: string;
  lines: Line[];
  /** What the order's lines beside its items add up to. */
  beside: number;
  /** The order's total that the customer was shown, with those; undefined: any. */
  expectedTotal?: number | undefined;
}
