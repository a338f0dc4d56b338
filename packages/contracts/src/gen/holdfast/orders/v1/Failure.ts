// Original file: protos/holdfast/orders/v1/orders.proto

import type { ChangedPricesInput as _holdfast_orders_v1_ChangedPricesInput, ChangedPrices as _holdfast_orders_v1_ChangedPrices } from '../../../holdfast/orders/v1/ChangedPrices.ts';

export interface FailureInput {
  'step'?: (string);
  'reason'?: (string);
  'message'?: (string);
  'prices'?: (_holdfast_orders_v1_ChangedPricesInput | null);
}

export interface Failure {
  'step': (string);
  'reason': (string);
  'message': (string);
  'prices': (_holdfast_orders_v1_ChangedPrices | null);
}
