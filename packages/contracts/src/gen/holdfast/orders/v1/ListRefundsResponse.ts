// Original file: protos/holdfast/orders/v1/orders.proto

import type { RefundInput as _holdfast_orders_v1_RefundInput, Refund as _holdfast_orders_v1_Refund } from '../../../holdfast/orders/v1/Refund.ts';

export interface ListRefundsResponseInput {
  'refunds'?: (_holdfast_orders_v1_RefundInput)[];
  'nextCursor'?: (string);
}

export interface ListRefundsResponse {
  'refunds': (_holdfast_orders_v1_Refund)[];
  'nextCursor': (string);
}
