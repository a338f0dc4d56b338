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

/** Why a step of a refund refuses, for good: the refund exists, and has failed. */
export const REFUND_REFUSALS = [
  'REFUND_EXCEEDS_CAPTURED',
  'RESTOCK_EXCEEDS_SOLD',
  'NOT_REFUNDABLE',
  'NOT_CAPTURED',
] as const;

/** Why a step of a capture refuses, for good: nothing is captured, and nothing leaves. */
export const CAPTURE_REFUSALS = ['AUTHORIZATION_EXPIRED', 'CAPTURE_EXCEEDS_AUTHORIZED', 'NOT_CAPTURABLE'] as const;

/** Why a refund can fail. The provider's own no, then and later, is `REFUND_FAILED`; the last two are the saga's own. */
export const REFUND_FAILURE_REASONS = [...REFUND_REFUSALS, 'REFUND_FAILED', 'DEADLINE_EXCEEDED', 'CANCELLED'] as const;

/** Why an order can fail. The last two are the saga's own. */
export const FAILURE_REASONS = [...STEP_REFUSALS, 'DEADLINE_EXCEEDED', 'CANCELLED'] as const;
