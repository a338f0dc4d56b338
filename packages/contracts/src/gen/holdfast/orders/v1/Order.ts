// Original file: protos/holdfast/orders/v1/orders.proto

import type { OrderStatusInput as _holdfast_orders_v1_OrderStatusInput, OrderStatus as _holdfast_orders_v1_OrderStatus } from '../../../holdfast/orders/v1/OrderStatus.ts';
import type { PricedItemInput as _holdfast_orders_v1_PricedItemInput, PricedItem as _holdfast_orders_v1_PricedItem } from '../../../holdfast/orders/v1/PricedItem.ts';
import type { FailureInput as _holdfast_orders_v1_FailureInput, Failure as _holdfast_orders_v1_Failure } from '../../../holdfast/orders/v1/Failure.ts';
import type { RefundInput as _holdfast_orders_v1_RefundInput, Refund as _holdfast_orders_v1_Refund } from '../../../holdfast/orders/v1/Refund.ts';
import type { OrderLineInput as _holdfast_orders_v1_OrderLineInput, OrderLine as _holdfast_orders_v1_OrderLine } from '../../../holdfast/orders/v1/OrderLine.ts';
import type { NextActionInput as _holdfast_orders_v1_NextActionInput, NextAction as _holdfast_orders_v1_NextAction } from '../../../holdfast/orders/v1/NextAction.ts';
import type { CaptureInput as _holdfast_orders_v1_CaptureInput, Capture as _holdfast_orders_v1_Capture } from '../../../holdfast/orders/v1/Capture.ts';
import type { DisputeInput as _holdfast_orders_v1_DisputeInput, Dispute as _holdfast_orders_v1_Dispute } from '../../../holdfast/orders/v1/Dispute.ts';
import type { Long } from '@grpc/proto-loader';

export interface OrderInput {
  'id'?: (string);
  'status'?: (_holdfast_orders_v1_OrderStatusInput);
  'customerId'?: (string);
  'currency'?: (string);
  'items'?: (_holdfast_orders_v1_PricedItemInput)[];
  'total'?: (number | string | Long);
  'reservationId'?: (string);
  'paymentId'?: (string);
  'shipmentId'?: (string);
  'failure'?: (_holdfast_orders_v1_FailureInput | null);
  'createdAt'?: (string);
  'updatedAt'?: (string);
  'refunded'?: (number | string | Long);
  'refunds'?: (_holdfast_orders_v1_RefundInput)[];
  'lines'?: (_holdfast_orders_v1_OrderLineInput)[];
  'metadata'?: ({[key: string]: string});
  'reference'?: (string);
  'nextAction'?: (_holdfast_orders_v1_NextActionInput | null);
  'capture'?: (_holdfast_orders_v1_CaptureInput | null);
  'disputes'?: (_holdfast_orders_v1_DisputeInput)[];
  'sum'?: "total";
}

export interface Order {
  'id': (string);
  'status': (_holdfast_orders_v1_OrderStatus);
  'customerId': (string);
  'currency': (string);
  'items': (_holdfast_orders_v1_PricedItem)[];
  'total'?: (number);
  'reservationId': (string);
  'paymentId': (string);
  'shipmentId': (string);
  'failure': (_holdfast_orders_v1_Failure | null);
  'createdAt': (string);
  'updatedAt': (string);
  'refunded': (number);
  'refunds': (_holdfast_orders_v1_Refund)[];
  'lines': (_holdfast_orders_v1_OrderLine)[];
  'metadata': ({[key: string]: string});
  'reference': (string);
  'nextAction': (_holdfast_orders_v1_NextAction | null);
  'capture': (_holdfast_orders_v1_Capture | null);
  'disputes': (_holdfast_orders_v1_Dispute)[];
  'sum'?: "total";
}
