import type { EffectOutcome, OrderId } from '@holdfast/participant';

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

export type RefusalReason = 'UNKNOWN_SKU' | 'CURRENCY_MISMATCH' | 'OUT_OF_STOCK';
export type ReserveOutcome = EffectOutcome<Reservation, RefusalReason>;

export interface ReserveRequest extends OrderId {
  currency: string;
  lines: Line[];
}
