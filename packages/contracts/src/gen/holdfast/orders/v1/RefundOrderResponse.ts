// Original file: protos/holdfast/orders/v1/orders.proto

import type { RefundInput as _holdfast_orders_v1_RefundInput, Refund as _holdfast_orders_v1_Refund } from '../../../holdfast/orders/v1/Refund.ts';

export interface RefundOrderResponseInput {
  'refund'?: (_holdfast_orders_v1_RefundInput | null);
}

export interface RefundOrderResponse {
  'refund': (_holdfast_orders_v1_Refund | null);
}
