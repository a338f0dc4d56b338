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
