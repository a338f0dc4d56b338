// Original file: protos/holdfast/orders/v1/orders.proto

import type { RefundLineInput as _holdfast_orders_v1_RefundLineInput, RefundLine as _holdfast_orders_v1_RefundLine } from '../../../holdfast/orders/v1/RefundLine.ts';
import type { Long } from '@grpc/proto-loader';

export interface RefundOrderRequestInput {
  'orderId'?: (string);
  'amount'?: (number | string | Long);
  'lines'?: (_holdfast_orders_v1_RefundLineInput)[];
  'reason'?: (string);
}

export interface RefundOrderRequest {
  'orderId': (string);
  'amount': (number);
  'lines': (_holdfast_orders_v1_RefundLine)[];
  'reason': (string);
}
