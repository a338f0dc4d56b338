/** Why a step refuses, for good: a participant says it, and the order has failed. */
export const STEP_REFUSALS = [
  'UNKNOWN_SKU',
  'OUT_OF_STOCK',
  'PRICE_CHANGED',
  'CARD_DECLINED',
  'PAYMENT_NOT_CONFIRMED',
  'INSUFFICIENT_FUNDS',
  'CURRENCY_MISMATCH',
  'ADDRESS_REFUSED',
] as const;

/** Why an order can fail. The last two are the saga's own. */
export const FAILURE_REASONS = [...STEP_REFUSALS, 'DEADLINE_EXCEEDED', 'CANCELLED'] as const;
