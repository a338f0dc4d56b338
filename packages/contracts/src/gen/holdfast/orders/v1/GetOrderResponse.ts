// Original file: protos/holdfast/orders/v1/orders.proto

import type { OrderInput as _holdfast_orders_v1_OrderInput, Order as _holdfast_orders_v1_Order } from '../../../holdfast/orders/v1/Order.ts';

export interface GetOrderResponseInput {
  'order'?: (_holdfast_orders_v1_OrderInput | null);
}

export interface GetOrderResponse {
  'order': (_holdfast_orders_v1_Order | null);
}
