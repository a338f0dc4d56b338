/** Method and route template of every HTTP operation that needs a key. Stored data: never renamed. */
export const KEYED_OPERATIONS = [
  'POST /v1/orders',
  'POST /v1/orders/{id}/refunds',
  'POST /v1/stock/{sku}/adjust',
  'POST /v1/accounts/{customerId}/adjust',
] as const;

export type KeyedOperation = (typeof KEYED_OPERATIONS)[number];
