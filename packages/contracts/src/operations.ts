/** Method and route template of every HTTP operation that takes a key. Stored data: never renamed. */
export const KEYED_OPERATIONS = [
  'POST /v1/orders',
  'POST /v1/orders/{id}/refunds',
  'POST /v1/stock/{sku}/adjust',
  'POST /v1/accounts/{customerId}/adjust',
  'PUT /v1/stock/{sku}',
  'PUT /v1/accounts/{customerId}',
  'POST /v1/orders/{id}/cancel',
  'POST /v1/orders/{id}/dispatch',
  'POST /v1/sagas/{id}/resume',
  'POST /v1/sagas/{id}/retry',
  'POST /v1/sagas/{id}/compensate',
  'POST /v1/api-keys',
  'DELETE /v1/api-keys/{id}',
] as const;

export type KeyedOperation = (typeof KEYED_OPERATIONS)[number];
