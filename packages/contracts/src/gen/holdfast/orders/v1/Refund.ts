// Original file: protos/holdfast/orders/v1/orders.proto

import type { RefundStatusInput as _holdfast_orders_v1_RefundStatusInput, RefundStatus as _holdfast_orders_v1_RefundStatus } from '../../../holdfast/orders/v1/RefundStatus.ts';
import type { RefundLineInput as _holdfast_orders_v1_RefundLineInput, RefundLine as _holdfast_orders_v1_RefundLine } from '../../../holdfast/orders/v1/RefundLine.ts';
import type { FailureInput as _holdfast_orders_v1_FailureInput, Failure as _holdfast_orders_v1_Failure } from '../../../holdfast/orders/v1/Failure.ts';
import type { Long } from '@grpc/proto-loader';

export interface RefundInput {
  'id'?: (string);
  'orderId'?: (string);
  'status'?: (_holdfast_orders_v1_RefundStatusInput);
  'amount'?: (number | string | Long);
  'currency'?: (string);
  'lines'?: (_holdfast_orders_v1_RefundLineInput)[];
  'reason'?: (string);
  'origin'?: (string);
  'failure'?: (_holdfast_orders_v1_FailureInput | null);
  'createdAt'?: (string);
  'updatedAt'?: (string);
}

export interface Refund {
  'id': (string);
  'orderId': (string);
  'status': (_holdfast_orders_v1_RefundStatus);
  'amount': (number);
  'currency': (string);
  'lines': (_holdfast_orders_v1_RefundLine)[];
  'reason': (string);
  'origin': (string);
  'failure': (_holdfast_orders_v1_Failure | null);
  'createdAt': (string);
  'updatedAt': (string);
}
